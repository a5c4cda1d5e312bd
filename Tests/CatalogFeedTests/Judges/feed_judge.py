"""Judges feeds by other people's code.

Reads an object of texts as JSON from standard input and prints an object of lists, one list of complaints for each
member, empty where there are none:

- `jsonld`: expanded by pyld and validated by pyshacl against shapes.ttl, terms checked, and Google's required fields.
- `jsonl`: each line read by ucp-sdk's model of a product.
- `openai`: each line checked by jsonschema.
- `profile`, `search`, `lookup`, `product`: answers read by ucp-sdk's models.
"""

import json
import pathlib
import sys

import jsonschema
import pyld
import pyshacl
import rdflib
from ucp_sdk.models.schemas import profile
from ucp_sdk.models.schemas.shopping import catalog_lookup, catalog_search
from ucp_sdk.models.schemas.shopping.types import product

HERE = pathlib.Path(__file__).parent
CONTEXT = json.loads((HERE / "schemaorg-excerpt.jsonld").read_text())
SCHEMA = "http://schema.org/"
TERMS = set(
    """ProductGroup Product Offer Brand Organization PropertyValue PeopleAudience UnitPriceSpecification
    name description url brand category image productGroupID variesBy hasVariant inProductGroupWithID productID sku
    gtin mpn color size material pattern audience suggestedAge suggestedGender additionalProperty value offers price
    priceCurrency availability itemCondition seller priceSpecification priceType""".split()
)


def load(url, options):
    """Nothing is fetched: only schema.org's context is known."""
    if url.rstrip("/") not in ("https://schema.org", "http://schema.org"):
        raise ValueError(f"no document {url} here")
    return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": CONTEXT}


def jsonld(text):
    pyld.jsonld.set_document_loader(load)
    document = json.loads(text)
    expanded = pyld.jsonld.expand(document)
    complaints = []

    def terms(node):
        if isinstance(node, list):
            for one in node:
                terms(one)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key == "@type":
                    names = value if isinstance(value, list) else [value]
                elif key.startswith("@"):
                    names = []
                else:
                    names = [key]
                for name in names:
                    if not name.startswith(SCHEMA) or name[len(SCHEMA):] not in TERMS:
                        complaints.append(f"unknown term {name}")
                terms(value)

    terms(expanded)
    graph = rdflib.Graph()
    graph.parse(data=pyld.jsonld.to_rdf(document, {"format": "application/n-quads"}), format="nquads")
    shapes = rdflib.Graph().parse(HERE / "shapes.ttl", format="turtle")
    conforms, _, report = pyshacl.validate(graph, shacl_graph=shapes)
    if not conforms:
        complaints.append(report)
    return complaints + google(document)


def google(document):
    """What Google's page on merchant listings requires of each product that is for sale."""
    complaints = []
    for node in document["@graph"]:
        if node["@type"] == "Organization":
            continue
        is_group = node["@type"] == "ProductGroup"
        for one in node["hasVariant"] if is_group else [node]:
            offer = one.get("offers", {})
            name = one.get("name", one["@id"])
            if not one.get("name"):
                complaints.append(f"{name}: no name")
            if not one.get("image"):
                complaints.append(f"{name}: no image")
            if offer.get("@type") != "Offer" or not float(offer.get("price", 0)) > 0:
                complaints.append(f"{name}: no offer with a price above zero")
            if is_group and one["inProductGroupWithID"] != node["productGroupID"]:
                complaints.append(f"{name}: another group's id")
            if is_group and one.get("name") == node["name"]:
                complaints.append(f"{name}: named as its group is")
    return complaints


def lines(text, check):
    complaints = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            check(json.loads(line))
        except Exception as error:  # whatever the judge throws is its verdict
            complaints.append(f"line {number}: {error}")
    return complaints


def model(text, kind):
    try:
        kind.model_validate_json(text)
        return []
    except Exception as error:
        return [str(error)]


ROW = jsonschema.Draft202012Validator(json.loads((HERE / "openai-row.schema.json").read_text()))
JUDGES = {
    "jsonld": jsonld,
    "jsonl": lambda text: lines(text, product.Product.model_validate),
    "openai": lambda text: lines(text, ROW.validate),
    "profile": lambda text: model(text, profile.BusinessSchema),
    "search": lambda text: model(text, catalog_search.SearchResponse),
    "lookup": lambda text: model(text, catalog_lookup.LookupResponse),
    "product": lambda text: model(text, catalog_lookup.GetProductResponse),
}

case = json.load(sys.stdin)
print(json.dumps({name: JUDGES[name](text) for name, text in case.items()}))
