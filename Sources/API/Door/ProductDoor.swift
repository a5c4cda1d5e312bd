import Commerce
import HTTPTypes
import Kernel
import NIOCore

/// New products, one a call: what a system sends by the thousand that keeps a catalogue in step.
struct ProductDoor: DoorRoute {
    /// A longer body would keep the connections beside it on the same loop waiting while it is read.
    private static let bodyMost = 16 << 10

    let products: ProductService
    let callers: DoorCallers

    func call(at path: String, _ headers: HTTPFields, length: Int, from peer: SocketAddress?) -> DoorCall? {
        guard path == ProductRoutes.path, length <= Self.bodyMost, headers[.idempotencyKey] == nil,
            let (caller, fields) = callers.admit(headers, from: peer)
        else { return nil }
        return DoorCall(route: ProductRoutes.path, fields: fields) { body, relay, reply in
            let new: NewProduct
            do { new = try FieldReader.read(try JSONValue(parsing: body)) { NewProduct($0) } } catch {
                return reply(.failure(error))
            }
            products.create(new, scope: caller.scope, actor: caller.actor) { result in
                relay { reply(result.map { ProductRoutes.answer($0, for: caller.role, status: .created) }) }
            }
        }
    }
}
