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
        MIIBWDCB/6ADAgECAhQLCkokxaHyLiLW/zwRR8Ad6bkkLjAKBggqhkjOPQQDAjAZ
        MRcwFQYDVQQDDA5UZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIw
        MDEwMTAwMDAwMFowGTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwWTATBgcqhkjO
        PQIBBggqhkjOPQMBBwNCAAQvSxR4d7bMH5qJACN/5LGrIEMoFaZMLqFEIUXTIIka
        MQ1uQ73lKQhkxK9lz6Qmx/dfqsYHqjdeO+nt/JPu5RxaoyMwITAPBgNVHRMBAf8E
        BTADAQH/MA4GA1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNIADBFAiBpY/yeRlmC
        RFrJs9cwv+FlYyIHMHz3iOLSE4QC3lshRgIhAIdj8pxRwjcbt8Wu3JMShs/t8Qpw
        6jA2S3MnoRO1LhOO
        -----END CERTIFICATE-----
        """

    /// For `hooks.example` and `127.0.0.1`.
    package static let good = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBezCCASCgAwIBAgIUL9MX/+xH/isumZqVQ/fOXyATFR8wCgYIKoZIzj0EAwIw
            GTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEy
            MDAxMDEwMDAwMDBaMBgxFjAUBgNVBAMMDWhvb2tzLmV4YW1wbGUwWTATBgcqhkjO
            PQIBBggqhkjOPQMBBwNCAATtqNw2zWnWcDcaRnChSWx120y+RgiMqMG5nDcLJ5Yu
            wCJMWfaxUvIQcXbtWNYMHLFM+nP/nxxDawVjJiJ8lpNQo0UwQzAMBgNVHRMBAf8E
            AjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMB4GA1UdEQQXMBWCDWhvb2tzLmV4YW1w
            bGWHBH8AAAEwCgYIKoZIzj0EAwIDSQAwRgIhAPJetNFBcDn+RtOp49LFSWIm1L1G
            Bjo5Fiz6BIYYtF5WAiEAuUCaRoBaNQQds+v26/m9Oig+8sG0yqM2tI8IWiUTbiA=
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPW4+GAEbIN78tilV
            Az0vjqiCESvprDL0yKIbNsXP5SShRANCAATtqNw2zWnWcDcaRnChSWx120y+RgiM
            qMG5nDcLJ5YuwCJMWfaxUvIQcXbtWNYMHLFM+nP/nxxDawVjJiJ8lpNQ
            -----END PRIVATE KEY-----
            """)

    /// For `hooks.example`, from 2020 to 2021.
    package static let expired = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBbDCCARKgAwIBAgIUf6wHc1MCtTUoUmTZadJr2lyMXhswCgYIKoZIzj0EAwIw
            GTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwHhcNMjAwMTAxMDAwMDAwWhcNMjEw
            MTAxMDAwMDAwWjASMRAwDgYDVQQDDAdleHBpcmVkMFkwEwYHKoZIzj0CAQYIKoZI
            zj0DAQcDQgAEC23PaD75KiVD8miqr69wvpbP+H5MHCyLxVFk37+2Q73hoGd4fnJD
            BOU5iW95+eMKdf6l4gBpCdL/hNHAPiZkGKM/MD0wDAYDVR0TAQH/BAIwADATBgNV
            HSUEDDAKBggrBgEFBQcDATAYBgNVHREEETAPgg1ob29rcy5leGFtcGxlMAoGCCqG
            SM49BAMCA0gAMEUCIQDBmoistnJPhceLHmOOraTAU1mF0x4yrc+Okrx213UvpwIg
            TwfIMLViFFdOyW38s7m1lrbmtmWIAuDnk8yIliCv+8g=
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgoEjIUoa94y00cmZ5
            YFYVbX35hrtYuu/Oh6OIkzbmAI2hRANCAAQLbc9oPvkqJUPyaKqvr3C+ls/4fkwc
            LIvFUWTfv7ZDveGgZ3h+ckME5TmJb3n54wp1/qXiAGkJ0v+E0cA+JmQY
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
