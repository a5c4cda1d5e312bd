import HTTPTypes
import Kernel

/// What follows from a topic of the store, together with the three members of the body that can change that.
enum WooCommerceTopic {
    private static let header = HTTPField.Name("X-WC-Webhook-Topic")

    static func text(in headers: HTTPFields) -> String? { header.flatMap { headers[$0] } }

    /// The topics a store has by itself. The header is not covered by the signature, so one signed body that somebody
    /// sends again under invented topics must not be stored once per topic: all others count as one.
    static let known: Set<String> = {
        var topics: Set<String> = []
        for resource in ["order", "product", "customer", "coupon"] {
            for event in ["created", "updated", "deleted", "restored"] { topics.insert("\(resource).\(event)") }
        }
        return topics
    }()

    static let other = "other"

    static func disposition(of topic: String, body: [UInt8]) -> Arrival.Disposition {
        switch topic {
        case "order.created", "order.updated": orderDisposition(body)
        case "order.deleted":
            .ignored(reason: "the store moved the order to its trash; the order here stays as it is")
        case "product.deleted":
            // Stores without order tables send this with an order's id when an order is trashed.
            .ignored(reason: "a deletion is not believed before the product is looked up at the store")
        case other: .ignored(reason: "the delivery names no topic of the store's own")
        default: .ignored(reason: "no workflow handles this topic")
        }
    }

    /// A body that can't be read goes the way of an order, so that it is parked where somebody sees it.
    private static func orderDisposition(_ body: [UInt8]) -> Arrival.Disposition {
        let scan: JSONScan
        do throws(JSONSyntaxError) { scan = try JSONScan(body, for: ["id", "status", "code"]) } catch {
            return .importOrder
        }
        if scan[0] == nil, let code = scan[2]?.string {
            let shown = SourceObject.shown(code)
            return .ignored(reason: "the order was gone before the store could send it: it sent the error \(shown)")
        }
        switch scan[1]?.string {
        case "checkout-draft", "auto-draft":
            return .ignored(reason: "a draft of a checkout is no order yet")
        case "trash":
            return .ignored(reason: "the order is in the store's trash")
        default:
            return .importOrder
        }
    }
}
