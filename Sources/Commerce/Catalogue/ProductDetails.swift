import Kernel
import Storage

/// The parts of a product that no query looks into: kept as one JSON text, in the form in which they are answered.
package struct ProductDetails: Sendable, Equatable {
    /// One property with a plain value: a text, a number or a boolean.
    package struct Attribute: Sendable, Equatable {
        package let name: String
        package let value: JSONValue
    }

    package struct Media: Sendable, Equatable {
        package let url: String
        package let alt: String?
    }

    /// Names such as "Size"; the values stand on the variants.
    package var options: [String]
    package var tags: [String]
    package var attributes: [Attribute]
    /// In their order: the first is the one that is shown.
    package var media: [Media]

    package static let empty = ProductDetails(options: [], tags: [], attributes: [], media: [])

    /// What is answered for a product that has none of it.
    package static let emptyJSON = ProductDetails.empty.json

    init(options: [String], tags: [String], attributes: [Attribute], media: [Media]) {
        self.options = options
        self.tags = tags
        self.attributes = attributes
        self.media = media
    }

    /// The members `options`, `tags`, `attributes` and `media` as one JSON object.
    package var json: [UInt8] {
        JSONWriter.object { writer in
            writer.arrayField("options") { for option in options { $0.string(option) } }
            writer.arrayField("tags") { for tag in tags { $0.string(tag) } }
            writer.objectField("attributes") { writer in
                for attribute in attributes { writer.field(attribute.name, attribute.value) }
            }
            writer.arrayField("media") { writer in
                for (index, one) in media.enumerated() {
                    writer.object { writer in
                        writer.field("url", one.url)
                        writer.field("alt", one.alt)
                        writer.field("position", index + 1)
                    }
                }
            }
        }
    }

    /// The form for the store: nothing at all when there is nothing.
    var kept: [UInt8]? { self == .empty ? nil : json }

    init(kept bytes: [UInt8]) throws {
        guard case .object(let object) = try JSONValue(parsing: bytes) else {
            throw StorageError(.corrupt, "a product's details are no JSON object")
        }
        options = object["options"]?.array?.compactMap(\.string) ?? []
        tags = object["tags"]?.array?.compactMap(\.string) ?? []
        attributes = object["attributes"]?.object?.members.map { Attribute(name: $0.name, value: $0.value) } ?? []
        media =
            object["media"]?.array?.compactMap { one in
                one["url"]?.string.map { Media(url: $0, alt: one["alt"]?.string) }
            } ?? []
    }
}

/// The value that a variant has for one of its product's options.
package struct OptionValue: Sendable, Equatable {
    package let name: String
    package let value: String

    static func json(_ values: [OptionValue]) -> [UInt8]? {
        if values.isEmpty { return nil }
        return JSONWriter.object { writer in for one in values { writer.field(one.name, one.value) } }
    }

    static func list(kept bytes: [UInt8]) throws -> [OptionValue] {
        guard case .object(let object) = try JSONValue(parsing: bytes) else {
            throw StorageError(.corrupt, "a variant's options are no JSON object")
        }
        return object.members.map { OptionValue(name: $0.name, value: $0.value.string ?? "") }
    }
}
