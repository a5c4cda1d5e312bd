import Storage
import Testing

@testable import StoragePostgres

@Suite("PostgreSQL error codes")
struct PostgresFailureTests {
    @Test(
        "A code of the server becomes what the caller can do about it",
        arguments: [
            ("40001", .conflict, .runAgain), ("40P01", .conflict, .runAgain), ("55P03", .conflict, .none),
            ("23505", .constraint(name: "rule"), .none), ("23514", .constraint(name: "rule"), .none),
            ("53100", .unavailable, .none), ("53300", .unavailable, .none), ("57014", .unavailable, .none),
            ("57P01", .unavailable, .none), ("57P03", .unavailable, .none), ("08006", .unavailable, .none),
            ("08P01", .misuse, .none), ("25P03", .unavailable, .none), ("58030", .unavailable, .none),
            ("XX001", .corrupt, .none),
            ("XX002", .corrupt, .none), ("0A000", .misuse, .prepareAgain), ("26000", .misuse, .prepareAgain),
            ("42601", .misuse, .none), ("22021", .misuse, .none), ("XX000", .misuse, .none),
            (nil, .unavailable, .none), ("", .unavailable, .none),
        ] as [(String?, StorageError.Code, PostgresFailure.Remedy)])
    func codes(state: String?, code: StorageError.Code, remedy: PostgresFailure.Remedy) {
        let failure = PostgresFailure(state: state, rule: "rule", detail: "words", isWrite: true)
        #expect(failure.error.code == code)
        #expect(failure.remedy == remedy)
    }

    @Test("A write that meets a read-only server can be tried later; a write inside a read is a defect")
    func readOnly() {
        let write = PostgresFailure(state: "25006", rule: "", detail: "", isWrite: true)
        let read = PostgresFailure(state: "25006", rule: "", detail: "", isWrite: false)
        #expect(write.error.code == .unavailable)
        #expect(read.error.code == .misuse)
    }
}
