import NIOSSL

/// Certificates for tests, whose keys protect nothing. Valid from 2020 to 2120 where nothing else is said.
package struct TestCertificate: Sendable {
    /// PEM.
    package let certificate: String
    /// PEM (PKCS #8).
    package let key: String

    /// The authority that the tests' clients trust.
    package static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBWDCB/6ADAgECAhQcePfRB6l0aIEB2keyb1u99GZP9TAKBggqhkjOPQQDAjAZ
        MRcwFQYDVQQDDA5UZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIw
        MDEwMTAwMDAwMFowGTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwWTATBgcqhkjO
        PQIBBggqhkjOPQMBBwNCAARLAeO/T6YpDpCB0n6TSJhnFY1r71jefii5bJnExPWw
        Lfwwzj/0XUc/3lJgjYbJL4bkk0jHK4JvQPeEQU1G+KLMoyMwITAPBgNVHRMBAf8E
        BTADAQH/MA4GA1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNIADBFAiBa0G2layJi
        o20jghtcsPlI/0nFMl+ROMKB2CraD5Y8vgIhAN40+6hj+/Y1iLKdV5fUKUS+6H9Y
        F2OccSlRvxf6t8Q9
        -----END CERTIFICATE-----
        """

    /// For `hooks.example` and `127.0.0.1`.
    package static let good = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBejCCASCgAwIBAgIUTH8F7ZddTKSrUdFl4or0Os4iz4kwCgYIKoZIzj0EAwIw
            GTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEy
            MDAxMDEwMDAwMDBaMBgxFjAUBgNVBAMMDWhvb2tzLmV4YW1wbGUwWTATBgcqhkjO
            PQIBBggqhkjOPQMBBwNCAAQDYUmISZE+6L+v1r3v62Im85YC55DPogCXq5BdDkvy
            3VTlR14YyxqVYRHRPGMyk39mkPtH6y2SKafgmiUfNl29o0UwQzAMBgNVHRMBAf8E
            AjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMB4GA1UdEQQXMBWCDWhvb2tzLmV4YW1w
            bGWHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIgImTjF6r8k6HyjaAoL8hHIURXKVUQ
            v4kenDCsc4fj2WcCIQDCUlWRZucgXPY+SzABl0RFUaEvMrU21F15ozFR/t4k5w==
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFzV1nDlWlx/bmHT4
            otsYpju1Y1axGwzsTg/RxKYGc9ChRANCAAQDYUmISZE+6L+v1r3v62Im85YC55DP
            ogCXq5BdDkvy3VTlR14YyxqVYRHRPGMyk39mkPtH6y2SKafgmiUfNl29
            -----END PRIVATE KEY-----
            """)

    /// For `hooks.example` alone: good for the name and not for the address that it leads to.
    package static let nameOnly = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBczCCARqgAwIBAgIUFi9vIkqIdbMaZQ0l5uKGedaS2AswCgYIKoZIzj0EAwIw
            GTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEy
            MDAxMDEwMDAwMDBaMBgxFjAUBgNVBAMMDWhvb2tzLmV4YW1wbGUwWTATBgcqhkjO
            PQIBBggqhkjOPQMBBwNCAATXsQ3mCXcqvDT4xgncooo8p14w6MA2pHkU2a3u5sFo
            dUH4i7xf5LVlZMmiENg5RbzXEIppIoTGtbuu1+6AlDShoz8wPTAMBgNVHRMBAf8E
            AjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMBgGA1UdEQQRMA+CDWhvb2tzLmV4YW1w
            bGUwCgYIKoZIzj0EAwIDRwAwRAIgS0sojiK2cPsE4IaELonE8kL/NbZn5eg3wZQG
            bD0jEFYCIBPij7v1+niSb/dS+z9oZNmjV/hsCC6MmabSvnO13qUH
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9mIE5mn3x7yS51B9
            LgSKE+vxb3WglQG/jtCiQpgeCgChRANCAATXsQ3mCXcqvDT4xgncooo8p14w6MA2
            pHkU2a3u5sFodUH4i7xf5LVlZMmiENg5RbzXEIppIoTGtbuu1+6AlDSh
            -----END PRIVATE KEY-----
            """)

    /// For `hooks.example`, from 2020 to 2021.
    package static let expired = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBbTCCARKgAwIBAgIUFro/xkIqcvk/o3WR8iBOv2fYAQMwCgYIKoZIzj0EAwIw
            GTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwHhcNMjAwMTAxMDAwMDAwWhcNMjEw
            MTAxMDAwMDAwWjASMRAwDgYDVQQDDAdleHBpcmVkMFkwEwYHKoZIzj0CAQYIKoZI
            zj0DAQcDQgAEK6fGNogp+j2CM4SrM69mcwPp1H3MZ0CzXC7aRxGWnfnuG1me9pZD
            v5ykGq/u60wRL2qiEK8vj6EgluqvGVo1wqM/MD0wDAYDVR0TAQH/BAIwADATBgNV
            HSUEDDAKBggrBgEFBQcDATAYBgNVHREEETAPgg1ob29rcy5leGFtcGxlMAoGCCqG
            SM49BAMCA0kAMEYCIQDCuSgZgPLBEqswf512UwXNxqcBgpRJ2YIvGamWLL4pgwIh
            AKtV9jzOKFTkP3KEF8Pnz4fmQJ4Yn4jqDgADH5UyEqgN
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiEdVoz7p4rhIrh2r
            T8dsCuh7kZeo8dqJUWK3vFaQ3kuhRANCAAQrp8Y2iCn6PYIzhKszr2ZzA+nUfcxn
            QLNcLtpHEZad+e4bWZ72lkO/nKQar+7rTBEvaqIQry+PoSCW6q8ZWjXC
            -----END PRIVATE KEY-----
            """)

    /// For `hooks.example`, by an authority that nobody trusts.
    package static let unknownAuthority = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBcDCCARegAwIBAgIUHy8ZjoBRSsFYTAcGLDyY/Z225IQwCgYIKoZIzj0EAwIw
            HDEaMBgGA1UEAwwRVW5rbm93biBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgP
            MjEyMDAxMDEwMDAwMDBaMBIxEDAOBgNVBAMMB3Vua25vd24wWTATBgcqhkjOPQIB
            BggqhkjOPQMBBwNCAATFaSWbLP7sfr/TO34Qw6bREXYDgKEZ80JjIPiTjixziZjX
            BDV6BBMFOaxe1QLyIuaDNgCWwtjDwnXbmD9jTFW1oz8wPTAMBgNVHRMBAf8EAjAA
            MBMGA1UdJQQMMAoGCCsGAQUFBwMBMBgGA1UdEQQRMA+CDWhvb2tzLmV4YW1wbGUw
            CgYIKoZIzj0EAwIDRwAwRAIgF3xGM4a28+W1cxazul/nqwXi559R24UEplWzP7JT
            kOECIBkKgv2yZZXM6U2e9O9sBHSMEiymbwUx6TVc1upQ+bCv
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpyM7unncHDeQ58sK
            F/8p6bS42K7248mZdKFr7VKuDK2hRANCAATFaSWbLP7sfr/TO34Qw6bREXYDgKEZ
            80JjIPiTjixziZjXBDV6BBMFOaxe1QLyIuaDNgCWwtjDwnXbmD9jTFW1
            -----END PRIVATE KEY-----
            """)

    /// What a server that speaks HTTP/1.1 under this certificate is set up with.
    package func serverConfiguration() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
        configuration.applicationProtocols = ["http/1.1"]
        return configuration
    }
}
