import API
import Kernel
import Storage

/// What development needs of the server: its services, and a way to call it like anybody from outside.
struct RunningServer: Sendable {
    let settings: Settings
    let database: any Database
    let services: APIServices
    let exchange: any HTTPExchange

    init(_ server: TradewindServer) {
        settings = server.settings
        database = server.database
        services = server.services
        exchange = server.client
    }
}
