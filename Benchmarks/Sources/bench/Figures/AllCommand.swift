import ArgumentParser

/// Every figure, one table.
struct AllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all", abstract: "Every figure in one table; --quick only proves that it runs.")

    @OptionGroup var options: LabOptions
    @Option(help: "The source of the library that delays flushes.") var shim = "FlushDelay/flush_delay.c"
    @Flag(help: "Leave PostgreSQL out.") var withoutPostgres = false

    func run() async throws {
        let quick = options.quick
        try await Lab.report(options) { lab in
            var figures = try await Figure.taking { try await AcceptFigure(lab, engine: .sqlite).take() }
            if !withoutPostgres {
                figures += try await Figure.taking { try await AcceptFigure(lab, engine: .postgres).take() }
            }
            figures += try await Figure.taking {
                try await FlushFigure(lab: lab, engine: .sqlite, delayMilliseconds: 2, shim: shim).take()
            }
            figures += try await Figure.taking {
                try await EndToEndFigure(lab: lab, perSecond: 1_000, seconds: quick ? 5 : 60).take()
            }
            figures += try await Figure.taking {
                try await DeliveriesFigure(lab, count: quick ? 3_000 : 60_000).take()
            }
            figures += try await outbound(lab)
            let young = StoreFigures(lab: lab, count: quick ? 20_000 : 1_000_000)
            figures += try await Figure.taking { try await young.start() }
            figures += try await Figure.taking {
                try await FeedFigure(lab: lab, counts: quick ? [2_000, 20_000] : [10_000, 1_000_000]).take()
            }
            figures += try await Figure.taking {
                try await MemoryFigure(lab: lab, orders: quick ? 5_000 : 100_000).take()
            }
            figures += try await Figure.taking {
                try await ImportFigure(lab: lab, variants: quick ? 5_000 : 100_000).take()
            }
            let catalogue = CatalogueFigures(lab)
            figures += try await Figure.taking { try await catalogue.writes() }
            figures += try await Figure.taking { try await catalogue.pages([1_000, quick ? 5_000 : 100_000]) }
            figures += try await Figure.taking { try await catalogue.hotVariant() }
            figures += try await Figure.taking {
                try await CatalogFeedFigure(lab: lab, variants: quick ? 5_000 : 100_000).take()
            }
            let old = StoreFigures(lab: lab, count: quick ? 50_000 : 5_000_000)
            figures += try await Figure.taking { try await old.accept() }
            return figures
        }
    }

    /// Deliveries in situations that are not everyday's.
    private func outbound(_ lab: Lab) async throws -> [Figure] {
        let quick = options.quick
        return try await Figure.taking {
            try await DeliveriesFigure(lab, count: quick ? 3_000 : 60_000, endpoints: quick ? 100 : 1_000).take()
        }
            + Figure.taking { try await FirstByteFigure(lab: lab, events: quick ? 40 : 600).take() }
            + Figure.taking {
                try await HangingTenantFigure(
                    lab: lab, parked: quick ? 5_000 : 100_000, perSecond: 500, seconds: quick ? 5 : 30, hangSeconds: 10
                ).take()
            }
            + Figure.taking {
                try await ParkedFigure(lab, parked: quick ? 20_000 : 1_000_000, due: quick ? 5_000 : 200_000).take()
            }
            + Figure.taking {
                try await ReplayFigure(lab: lab, count: quick ? 5_000 : 100_000, perSecond: 200).take()
            }
            + Figure.taking {
                try await InFlightFigure(
                    lab: lab, endpoints: quick ? 100 : 1_000, inFlight: quick ? 1_000 : 10_000
                ).take()
            }
    }
}
