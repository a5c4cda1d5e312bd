import Kernel
import Testing

@Suite("A result that several wait for")
struct SharedResultTests {
    private struct Fault: Error {}

    @Test("those who wait and those who come later get it, and the first one counts")
    func settled() async throws {
        let shared = SharedResult<Int>()
        async let early = shared.value()
        async let other = shared.value()
        shared.settle(.success(1))
        shared.settle(.success(2))
        shared.settle(.failure(Fault()))
        #expect(try await [early, other, shared.value()] == [1, 1, 1])
    }

    @Test("an error takes its place for all of them")
    func failed() async {
        let shared = SharedResult<Int>()
        let early = Task { try await shared.value() }
        shared.settle(.failure(Fault()))
        await #expect(throws: Fault.self) { _ = try await early.value }
        await #expect(throws: Fault.self) { _ = try await shared.value() }
    }
}
