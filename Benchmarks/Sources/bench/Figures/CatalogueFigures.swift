import ArgumentParser
import NIOPosix

/// What callers of the API do with products and stock, by a closed loop of them.
struct CatalogueFigures {
    let lab: Lab
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    init(_ lab: Lab) { self.lab = lab }

    private var engine: String { lab.options.engine.rawValue }

    /// New products from 32 clients, beside the route that does nothing, in alternating rounds.
    func writes() async throws -> [Figure] {
        let body = """
            {"title":"Boots {n}","status":"active","brand":"Acme","tags":["new"],\
            "variants":[{"sku":"W-{n}","price":149.99,"currency":"EUR"}]}
            """
        var (writes, floors): ([Double], [Double]) = ([], [])
        for round in 1...lab.rounds {
            lab.note("product writes on \(engine), round \(round) of \(lab.rounds)")
            let launch = try await lab.launch()
            writes.append(
                try await TradewindServer.with(launch) { server in
                    let client = try await Workspace(on: server).client
                    let requests = NumberedRequests("POST", "/api/v1/pim/products", body: body, headers: client.headers)
                    return try await run(requests, on: server.port, connections: 32).perSecond
                })
            try lab.discard(launch)
            floors.append(try await floor(body).perSecond)
        }
        let ratio = median(writes) / median(floors)
        return [
            Figure(
                name: "product writes, 32 clients", engine: engine, measured: "\(median(writes).text())/s",
                beside: "no-op route \(median(floors).text())/s", ratio: ratio, target: "≥ 0.25 ×",
                isMet: ratio >= 0.25, samples: ["writes_per_second": writes, "floor_per_second": floors])
        ]
    }

    /// Pages of 100 products out of catalogues of several sizes, read by four clients.
    func pages(_ sizes: [Int]) async throws -> [Figure] {
        var (rates, samples): ([Double], [String: [Double]]) = ([], [:])
        for size in sizes {
            let launch = try await lab.launch()
            let rounds = try await TradewindServer.with(launch) { server in
                let client = try await Workspace(on: server).client
                lab.note("bringing in \(size) products")
                try await CatalogueFile(products: size, variantsEach: 1).bringIn(client)
                let path = "/api/v1/pim/products?limit=100"
                let requests = NumberedRequests("GET", path, body: "", headers: client.headers)
                var rounds: [Double] = []
                for _ in 1...lab.rounds {
                    rounds.append(try await run(requests, on: server.port, connections: 4).perSecond)
                }
                return rounds
            }
            try lab.discard(launch)
            rates.append(median(rounds))
            samples["pages_per_second_of_\(size)"] = rounds
        }
        return zip(sizes, rates).map { size, rate in
            let ratio = rate / (rates.first ?? rate)
            return Figure(
                name: "list pages of 100 out of \(size) products", engine: engine, measured: "\(rate.text())/s",
                beside: "\(sizes[0]) products: \((rates.first ?? 0).text())/s", ratio: ratio, target: "≥ 400/s, flat",
                isMet: rate >= 400 && ratio >= 0.8, samples: samples)
        }
    }

    /// One piece more of one variant by each of 64 clients, over and over; in the end the level is asked.
    func hotVariant() async throws -> [Figure] {
        let launch = try await lab.launch()
        let figures = try await TradewindServer.with(launch) { server in
            let client = try await Workspace(on: server).client
            let list: Products = try await client.require(
                client.get("/api/v1/pim/products?limit=1"), 200, "the product"
            ).decoded()
            guard let variant = list.data.first?.variants.first?.id else { throw BenchError("there is no variant") }
            lab.note("adjusting one variant on \(engine)")
            let body = #"{"variant_id":"\#(variant)","quantity_delta":1,"note":"{n}"}"#
            let requests = NumberedRequests("POST", "/api/v1/inventory/adjust", body: body, headers: client.headers)
            var (rates, sent): ([Double], Int) = ([], 0)
            for _ in 1...lab.rounds {
                let outcome = try await run(requests, on: server.port, connections: 64)
                rates.append(outcome.perSecond)
                sent += outcome.sent
            }
            let path = "/api/v1/inventory/levels?variant_id=\(variant)"
            let levels: Levels = try await client.require(client.get(path), 200, "the level").decoded()
            let level = levels.data.first?.on_hand ?? 0
            guard level == sent else { throw BenchError("\(sent) pieces were added and \(level) are there") }
            return [
                Figure(
                    name: "adjustments of one variant, 64 clients", engine: engine,
                    measured: "\(median(rates).text())/s", beside: "\(sent) sent, \(level) counted",
                    target: "≥ 2000/s, none lost", isMet: median(rates) >= 2_000,
                    samples: ["adjustments_per_second": rates])
            ]
        }
        try lab.discard(launch)
        return figures
    }

    // MARK: Parts

    private func run(_ requests: NumberedRequests, on port: Int, connections: Int) async throws -> LoadOutcome {
        let plan = LoadPlan(port: port, requests: requests, connections: connections, seconds: lab.seconds)
        return try Self.checked(await LoadRun(plan, on: group.next()).run())
    }

    private func floor(_ body: String) async throws -> LoadOutcome {
        let requests = NumberedRequests("POST", "/noop", body: body, headers: [])
        let outcome = try await Floor.round(in: lab, on: group.next()) { port in
            LoadPlan(port: port, requests: requests, connections: 32, seconds: lab.seconds)
        }
        return try Self.checked(outcome)
    }

    private static func checked(_ outcome: LoadOutcome) throws -> LoadOutcome {
        guard outcome.refused.isEmpty, outcome.accepted > 0 else {
            throw BenchError("\(outcome.accepted) answers, and refused by status: \(outcome.refused)")
        }
        return outcome
    }

    // The names are those of the wire.
    private struct Products: Decodable {
        struct Product: Decodable { let variants: [Variant] }
        struct Variant: Decodable { let id: String }
        let data: [Product]
    }

    private struct Levels: Decodable {
        struct Level: Decodable { let on_hand: Int }
        let data: [Level]
    }
}

struct CatalogueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalogue", abstract: "Product writes, product lists, and the stock of one hot variant.")

    @OptionGroup var options: LabOptions
    @Option(help: "Products of the largest catalogue that is listed.") var products: Int?

    func run() async throws {
        try await Lab.report(options) { lab in
            let figures = CatalogueFigures(lab)
            let most = products ?? (options.quick ? 5_000 : 100_000)
            return try await Figure.taking { try await figures.writes() }
                + Figure.taking { try await figures.pages([1_000, most]) }
                + Figure.taking { try await figures.hotVariant() }
        }
    }
}
