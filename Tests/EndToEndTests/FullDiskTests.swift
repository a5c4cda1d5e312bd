import Foundation
import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("A disk that is full")
struct FullDiskTests {
    /// Posts orders until nothing fits any more. A log that is full may be emptied into the store, and then there is
    /// room once more: only a server that says that it is not ready is really full.
    private static func fill(_ shop: Shop, _ ledger: Ledger) async throws {
        for number in 0..<5000 {
            let padding = #""notes": "\#(String(repeating: "x", count: 20_000))","#
            let answer = try await shop.deliver(shop.orderEvent("o-\(number)", more: padding))
            if answer.status == 200 {
                try ledger.record("o-\(number)", answer.text("status"))
                continue
            }
            #expect(answer.status == 503, "\(answer.text)")
            #expect(answer.headers[.retryAfter] != nil)
            if try await shop.api.get("/readyz").status == 503 { return }
        }
        throw Overdue(description: "the disk never filled up")
    }

    /// Fills the disk, makes room again, and looks whether everything that was acknowledged is there.
    private static func story(_ server: TestServer, makeRoom: @Sendable () async throws -> Void) async throws {
        let process = try #require(server.process)
        let shop = try await Shop.open(server)
        let ledger = try Ledger(path: server.folder + "/ledger")

        try await fill(shop, ledger)
        #expect(try await server.caller().get("/healthz").status == 200)

        try await makeRoom()

        try await until("it takes deliveries again") {
            try await shop.deliver(shop.orderEvent("after")).status == 200
        }
        try ledger.record("after", "accepted")
        try await until("it says that it is ready") { try await server.caller().get("/readyz").status == 200 }
        #expect(server.process === process && !process.hasEnded)
        let load = OrderLoad(servers: [server], shop: shop, ledger: ledger)
        let orders = try await load.ordersOfLedger()
        #expect(orders.allSatisfy { $0.value.count == 1 })
        #expect(orders.count >= 2)
    }

    @Test("At the limit of a file's size callers get 503, and all goes on when the limit is lifted")
    func fileSize() async throws {
        try await withCopies(1, of: .sqlite, environment: TestServer.shortLease) { servers in
            // The shell's unit is 512 bytes. Only the soft limit is set, so that it can be lifted again.
            let limit = "trap '' XFSZ; ulimit -S -f 4096; exec \"$@\""
            let process = try await servers[0].start(wrapper: ["/bin/sh", "-c", limit, "sh"])
            try await Self.story(servers[0]) {
                let number = String(process.identifier)
                let outcome = try await Program.run(
                    ["/usr/bin/prlimit", "--pid", number, "--fsize=unlimited:"], input: [])
                #expect(outcome.exit == .code(0), "\(outcome.errors)")
            }
        }
    }

    private static func mount(_ folder: String) async throws {
        let outcome = try await Program.run(
            ["/bin/mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], input: [])
        #expect(outcome.exit == .code(0), "\(outcome.errors)")
    }

    @Test(
        "On a full file system callers get 503, and all goes on when there is room again",
        .enabled(if: geteuid() == 0, "mounting a small file system takes root"))
    func fileSystem() async throws {
        try await withCopies(1, of: .sqlite, environment: TestServer.shortLease) { servers in
            let server = servers[0]
            try FileManager.default.createDirectory(atPath: server.data, withIntermediateDirectories: true)
            try await Self.mount(server.data)
            let filler = server.data + "/filler"
            let result: Result<Void, any Error>
            do {
                try Data(count: 8 << 20).write(to: URL(fileURLWithPath: filler))
                try await server.start()
                try await Self.story(server) { try FileManager.default.removeItem(atPath: filler) }
                result = .success(())
            } catch { result = .failure(error) }
            await server.kill()
            let unmounted = try await Program.run(["/bin/umount", server.data], input: [])
            #expect(unmounted.exit == .code(0), "\(unmounted.errors)")
            try result.get()
        }
    }
}
