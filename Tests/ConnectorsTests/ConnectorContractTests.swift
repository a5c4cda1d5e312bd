import HTTPTypes
import Kernel
import Signing
import Testing

@testable import Connectors

/// What holds for every connector in the catalogue; a new one is tested by its fixtures alone.
@Suite struct ConnectorContractTests {
    @Test("Providers are named once, are found by name, and say what a person must do", arguments: ConnectorCatalog.all)
    func descriptions(connector: any Connector) throws {
        let description = connector.description
        #expect(ConnectorCatalog.all.filter { $0.description.provider == description.provider }.count == 1)
        #expect(
            ConnectorCatalog.connector(for: description.provider)?.description.displayName == description.displayName)
        #expect(ConnectorCatalog.connector(for: "\(description.provider)x") == nil)
        #expect(!description.categories.isEmpty)
        #expect(!description.displayName.isEmpty)
        #expect(description.setup.hasSuffix("."))
        #expect(SignatureCatalog.scheme(named: description.signature.name) != nil)
    }

    @Test("Every declared order event has a fixture that is imported", arguments: ConnectorCatalog.all)
    func declaredEvents(connector: any Connector) throws {
        let deliveries = try RecordedDelivery.all(of: connector.description.provider)
        let imported = Set(deliveries.filter(\.isImported).compactMap { $0.expected["event"]?.string })
        #expect(imported == Set(connector.description.orderEvents))
        #expect(connector.description.orderEvents.count == imported.count)
    }

    @Test("No fixture and no golden is left out", arguments: ConnectorCatalog.all)
    func completeFixtures(connector: any Connector) throws {
        let provider = connector.description.provider
        let deliveries = try RecordedDelivery.all(of: provider)
        #expect(try FixtureFiles.names(in: provider).subtracting(["arrivals"]) == Set(deliveries.map(\.name)))
        #expect(
            try FixtureFiles.names(in: "\(provider)/goldens") == Set(deliveries.filter(\.isImported).map(\.name)))
    }

    @Test("A recorded delivery verifies and arrives as expected", arguments: try RecordedDelivery.all())
    func arrivals(delivery: RecordedDelivery) throws {
        let connector = try #require(ConnectorCatalog.connector(for: delivery.provider))
        #expect(connector.isGreeting(headers: delivery.headers, body: delivery.body) == delivery.isGreeting)
        if delivery.isGreeting { return }
        let arrival = try connector.arrival(delivery.verified(by: connector))
        #expect(arrival.event == delivery.expected["event"]?.string)
        let reason = delivery.expected["ignored"]?.string
        #expect(arrival.disposition == (reason.map { .ignored(reason: $0) } ?? .importOrder))
    }

    @Test(
        "A changed body, a changed signature, another secret and no signature are refused",
        arguments: try RecordedDelivery.all().filter { !$0.isGreeting })
    func badSignatures(delivery: RecordedDelivery) throws {
        let connector = try #require(ConnectorCatalog.connector(for: delivery.provider))
        let scheme = connector.description.signature
        let good = try delivery.signingKey()
        let other = try #require(SigningKey(Secret("another-secret")))
        let now = Timestamp(milliseconds: 0)
        var body = delivery.body
        body[body.count / 2] ^= 1
        let signature = scheme.sign(SignedContent(id: "1", time: now, body: delivery.body), key: other, older: [])
        var unsigned = delivery.headers
        for field in signature { unsigned[field.name] = nil }
        #expect(throws: SignatureRejection.self) {
            try scheme.verify(body: body, headers: delivery.headers, keys: [good], now: now)
        }
        #expect(throws: SignatureRejection.self) {
            try scheme.verify(body: delivery.body, headers: delivery.headers, keys: [other], now: now)
        }
        #expect(throws: SignatureRejection.self) {
            try scheme.verify(body: delivery.body, headers: unsigned, keys: [good], now: now)
        }
    }

    @Test("An order becomes exactly its golden snapshot", arguments: try RecordedDelivery.orders())
    func goldens(delivery: RecordedDelivery) throws {
        let connector = try #require(ConnectorCatalog.connector(for: delivery.provider))
        let event = try #require(delivery.expected["event"]?.string)
        let order = try connector.order(from: delivery.body, event: event)
        #expect(try rendered(order) == delivery.golden())
    }

    @Test("Lines, fees, shipping and tax add up to the total", arguments: try RecordedDelivery.orders())
    func sums(delivery: RecordedDelivery) throws {
        let connector = try #require(ConnectorCatalog.connector(for: delivery.provider))
        let event = try #require(delivery.expected["event"]?.string)
        let order = try connector.order(from: delivery.body, event: event)
        let parts = order.lines.map(\.total) + [order.shipping, order.tax]
        let sum = parts.reduce(0) { $0 + $1.minorUnits }
        let priced = order.lines.reduce(0) { $0 + $1.unitPrice.minorUnits * $1.quantity }
        // A gateway's discount that no line carries is still to be taken off.
        let isApart = delivery.provider == "unified" && priced == order.lines.reduce(0) { $0 + $1.total.minorUnits }
        #expect(order.total?.minorUnits == sum - (isApart ? order.discount.minorUnits : 0))
    }

    @Test("An event that is no order event is never translated", arguments: try RecordedDelivery.orders())
    func foreignEvents(delivery: RecordedDelivery) throws {
        let connector = try #require(ConnectorCatalog.connector(for: delivery.provider))
        #expect(throws: Untranslatable(path: "event", detail: "\"stock.moved\" tells of no order")) {
            try connector.order(from: delivery.body, event: "stock.moved")
        }
    }
}
