/// The files that are made of one catalogue.
package enum FeedFormat: String, Sendable, CaseIterable {
    /// One JSON-LD document in the vocabulary of schema.org.
    case jsonld
    /// One product of the Universal Commerce Protocol a line.
    case jsonl
    /// One row a variant, as OpenAI's product feed reference has it.
    case openai

    package var contentType: String {
        switch self {
        case .jsonld: "application/ld+json"
        case .jsonl, .openai: "application/x-ndjson"
        }
    }

    /// What the file is called in its address.
    package var fileName: String {
        switch self {
        case .jsonld: "catalog.jsonld"
        case .jsonl: "catalog.jsonl"
        case .openai: "openai.jsonl"
        }
    }
}

/// The parts that are rendered of each product: one for each format, and the report.
enum FeedPart: Int, Sendable, CaseIterable {
    case jsonld
    case jsonl
    case openai
    case report

    init(_ format: FeedFormat) {
        self =
            switch format {
            case .jsonld: .jsonld
            case .jsonl: .jsonl
            case .openai: .openai
            }
    }
}
