import Foundation
import Testing

/// The interpreter that has the packages of `scripts/judges.txt`.
package enum JudgePython {
    /// Its path; a test without it fails, since a judge that is skipped judges nothing.
    package static func path() throws -> String {
        try #require(
            ProcessInfo.processInfo.environment["TRADEWIND_TEST_PYTHON"].flatMap { $0.isEmpty ? nil : $0 },
            "TRADEWIND_TEST_PYTHON must name a Python that has scripts/judges.txt; scripts/test makes one")
    }
}
