/// What is made of 64 random bits. Where the bits come from is the caller's, so that a test can repeat them.
package enum Chance {
    /// A number for a claim: unique for all practical purposes, and never zero, which means "claimed by nobody".
    package static func claimNumber(_ bits: UInt64) -> Int64 { Int64(bits >> 1) | 1 }

    /// A fraction from 0 to below 1, evenly spread, as jitter takes it.
    package static func fraction(_ bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }
}
