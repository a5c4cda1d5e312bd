/// A currency of ISO 4217 with the number of decimals of its smallest unit.
package struct Currency: Hashable, Sendable, CustomStringConvertible {
    package let code: String
    package let exponent: Int

    /// Looks up a three-letter code in upper case; nil when ISO 4217's active list does not have it.
    package init?(code: some StringProtocol) {
        guard let exponent = Currency.exponents[String(code)] else { return nil }
        self.code = String(code)
        self.exponent = exponent
    }

    private init(known code: String, exponent: Int) {
        self.code = code
        self.exponent = exponent
    }

    package static let usd = Currency(known: "USD", exponent: 2)

    package var description: String { code }

    /// ISO 4217 list one, without the codes for metals, units of account and testing.
    private static let exponents: [String: Int] = {
        var table: [String: Int] = [:]
        func add(_ codes: String, exponent: Int) {
            for code in codes.split(separator: " ") { table[String(code)] = exponent }
        }
        add("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", exponent: 0)
        add("BHD IQD JOD KWD LYD OMR TND", exponent: 3)
        add("CLF UYW", exponent: 4)
        add(
            """
            AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF \
            CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
            HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT \
            MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR \
            SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU \
            UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
            """, exponent: 2)
        return table
    }()
}
