import Kernel
import TestSupport
import Testing

@testable import Commerce

@Suite("Product files of stores")
struct StoreSheetTests {
    private static let shopify = """
        Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,\
        Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Price,Variant Compare At Price,\
        Variant Barcode,Image Src,Image Position,Image Alt Text,Variant Image,Cost per item,Status
        tee,Tee,"<p>Soft,
        warm</p>",Acme,Apparel,Shirts,"red, new",true,Size,M,Colour,Red,'TEE-M,200,19.99,25.00,123,\
        https://a.test/1.png,1,Front,,8.50,active
        tee,,,,,,,,,L,,Red,TEE-L,210.0,21.99,,,https://a.test/2.png,2,,https://a.test/l.png,,
        tee,,,,,,,,,,,,,,,,,https://a.test/3.png,3,,,,
        mug,Mug,,Acme,,Mugs,,false,Title,Default Title,,,MUG,300,7.00,,,,,,,,draft
        """

    @Test("Shopify's rows become products with options, pictures and prices", arguments: TestEngine.allCases)
    func shopify(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let imports = Imports(shop)
            let (one, faults) = try await imports.bring(Self.shopify, currency: .usd)
            #expect(one.source == "shopify" && faults.isEmpty, "\(faults)")
            let products = try await imports.products()
            #expect(products.map(\.title) == ["Tee", "Mug"] && products.map(\.status) == [.active, .draft])
            let tee = products[0]
            let details = try tee.details
            #expect(details.options == ["Size", "Colour"] && details.tags == ["red", "new"])
            #expect(details.media.map(\.url) == (1...3).map { "https://a.test/\($0).png" })
            #expect(details.media.map(\.alt) == ["Front", nil, nil])
            #expect(tee.brand == "Acme" && tee.category == "Apparel" && tee.description == "<p>Soft,\nwarm</p>")
            #expect(tee.variants.map(\.sku) == ["TEE-M", "TEE-L"] && tee.variants.map(\.weightGrams) == [200, 210])
            #expect(tee.variants.map(\.price) == [usd(1999), usd(2199)] && tee.variants[0].compareAt == usd(2500))
            #expect(tee.variants[0].cost == usd(850) && tee.variants[1].imageURL == "https://a.test/l.png")
            #expect(try tee.variants[1].options.map(\.value) == ["L", "Red"])
            #expect(try products[1].variants[0].options.isEmpty && products[1].category == "Mugs")
        }
    }

    @Test("Shopify's grams are taken with decimals, to a whole gram", arguments: TestEngine.allCases)
    func decimalGrams(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let imports = Imports(shop)
            let (one, faults) = try await imports.bring(
                """
                Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Price
                nuts,Nuts,Size,S,N-S,226.796,3
                nuts,,,M,N-M,453.59237,5
                nuts,,,L,N-L,907.5,9
                nuts,,,XL,N-XL,0.0,12
                nuts,,,XXL,N-XXL,,15
                air,Air,Title,Default Title,AIR,-0.4,1
                iron,Iron,Title,Default Title,IRON,heavy,1
                """, currency: .usd)
            let products = try await imports.products()
            #expect(products.map(\.title) == ["Nuts"] && one.counts.refused == 2)
            #expect(products[0].variants.map(\.weightGrams) == [227, 454, 908, 0, nil])
            #expect(faults.map(\.line) == [7, 8] && faults.allSatisfy { $0.field == "variant grams" }, "\(faults)")
        }
    }

    private static let wooCommerce = """
        ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,"Is featured?",Description,"Weight (kg)",\
        "Sale price","Regular price",Categories,Tags,Images,Parent,"Attribute 1 name","Attribute 1 value(s)"
        10,simple,CAP,4006381333931,Cap,1,0,Plain,0.25,9,12.50,"Clothing > Hats, Sale","a, b",\
        "https://a.test/c.png, https://a.test/d.png",,Material,Wool
        11,variable,HOOD,,Hoodie,1,0,,,,,Clothing,,https://a.test/h.png,,Colour,"Red, Blue"
        12,variation,HOOD-R,,Hoodie - Red,1,0,,0.5,,45,,,https://a.test/r.png,HOOD,Colour,Red
        13,variation,,,Hoodie - Blue,1,0,,,,47,,,,HOOD,Colour,Blue
        14,variable,,,Nameless,-1,0,,,,,,,,,Size,"1, 2"
        15,variation,NL-1,,Nameless - 1,1,0,,,,5,,,,id:14,Size,1
        16,variation,ORPHAN,,Orphan,1,0,,,,5,,,,GONE,Size,1
        """

    @Test("WooCommerce's rows become products with variants and categories", arguments: TestEngine.allCases)
    func wooCommerce(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let imports = Imports(shop)
            let (one, faults) = try await imports.bring(Self.wooCommerce, currency: .usd)
            #expect(
                one.source == "woocommerce" && faults.map(\.line) == [8] && faults[0].field == "parent", "\(faults)")
            let products = try await imports.products()
            #expect(products.map(\.title) == ["Cap", "Hoodie", "Nameless"])
            #expect(products.map(\.status) == [.active, .active, .draft])
            let cap = products[0].variants[0]
            #expect(cap.price == usd(900) && cap.compareAt == usd(1250) && cap.weightGrams == 250)
            #expect(cap.barcode == "4006381333931")
            let details = try products[0].details
            #expect(details.tags == ["a", "b"] && details.media.count == 2)
            #expect(details.attributes.map(\.name) == ["Material"])
            #expect(products[1].variants.map(\.sku) == ["HOOD-R", nil])
            #expect(products[1].variants.map(\.price) == [usd(4500), usd(4700)])
            #expect(try products[1].variants.map { try $0.options.map(\.value) } == [["Red"], ["Blue"]])
            #expect(products[2].variants.map(\.sku) == ["NL-1"])
            let placed = try await shop.categories.list(scope: Shop.scope)
            #expect(placed.map(\.path) == [["Clothing"], ["Clothing", "Hats"]])
            #expect(products[0].categoryID == placed[1].category.id)
            let again = try await imports.bring(Self.wooCommerce, currency: .usd)
            #expect(again.one.counts.unchanged == 6 && again.one.counts.refused == 1)
        }
    }

    @Test("Prices without a currency are refused by their rows", arguments: TestEngine.allCases)
    func noCurrency(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let (one, faults) = try await Imports(shop).bring(Self.wooCommerce)
            #expect(one.counts.refused == 5, "\(faults)")
            #expect(faults.first?.field == "regular price" && faults.first?.reason.contains("beside a price") ?? false)
        }
    }

    @Test("A variation without its parent is told which, where and what to do", arguments: TestEngine.allCases)
    func orphans(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let (one, faults) = try await Imports(shop).bring(
                """
                ID,Type,SKU,Name,Published,Regular price,Parent,Attribute 1 name,Attribute 1 value(s)
                1,variation,HOOD-R,Hoodie - Red,1,45,HOOD,Colour,Red
                2,variable,HOOD,Hoodie,1,,,Colour,"Red, Blue"
                3,variation,HOOD-B,Hoodie - Blue,1,45,HOOD,Colour,Blue
                4,variation,LOST,Lost,1,5,GONE,Size,1
                5,variation,NOBODY,Nobody's,1,5,,Size,1
                6,variable,BAD,,1,,,Size,1
                7,variation,BAD-1,Bad - 1,1,5,BAD,Size,1
                """, currency: .usd)
            #expect(one.counts.created == 1 && one.counts.updated == 1)
            #expect(faults.map(\.line) == [2, 5, 6, 7, 8], "\(faults)")
            let told = Dictionary(faults.map { ($0.line, $0) }) { first, _ in first }
            #expect([2, 5, 6, 8].allSatisfy { told[$0]?.field == "parent" }, "\(faults)")
            #expect(told[2]?.reason.hasPrefix("\"HOOD\" stands behind its variation, in line 3: put") == true)
            #expect(told[2]?.reason.hasSuffix("before line 2") == true)
            #expect(told[5]?.reason.hasPrefix("\"GONE\" is no product of the catalogue") == true)
            #expect(told[5]?.reason.contains("before line 5: put the parent's row") == true)
            #expect(told[6]?.reason.hasPrefix("is empty: name the SKU of the variation's parent") == true)
            #expect(told[7]?.field == "name")
            #expect(told[8]?.reason.hasPrefix("\"BAD\" in line 7 was refused: mend") == true, "\(faults)")
            #expect(try await Imports(shop).products().flatMap(\.variants).map(\.sku) == ["HOOD-B"])
        }
    }
}
