/// A key set and tokens that Python's `cryptography` made, so that our checking is not judged by our own signing.
///
/// Claims of all: issuer `https://id.example`, audience `tradewind-test` among others, good until 2100.
enum IndependentTokens {
    static let keySet = """
        {"keys":[{"kty":"RSA","kid":"r1","use":"sig","alg":"RS256","n":"2UP5l_gTPyDZd8K17XWcXA5bXLDM4Mwiak7G\
        OPHzU1Ht0EKaZ1xHOKEaiA9jLQwZbMSfxlNSCXn_VckjP1VIj_7yIkZBMz0291-IwKD55_A67qLbV5hZMVRrMUnjNMMJ2xipKiGr\
        _XlwzvTAw8bKUTs0iQthYsaAHVKP0MOWrtd1AKf8WNGfCnblReoD9HZA3rBI3bA5Fry_ACuP_Lt0hoM874wLwbV9UUegORNgNf2d\
        XImD8b26HGdIvcKlw6Zk3i49DOxr2In583g_vkkiQGUlaAOqU9lsPylUDENYm0PTNkOPHMTXxtvB0owphTFsWLcNZ42e7OvKvzcW\
        gV8x3Q","e":"AQAB"},{"kty":"EC","kid":"e1","crv":"P-256","x":"ktoV1jldaLrciABTAgGxOtDrBHVuow2YIbx7Vt\
        r5CYY","y":"KuVjzfcfntx62lsDIauHmYVDuBPipJXlJJVW1EF27xU"},{"kty":"OKP","kid":"d1","crv":"Ed25519","x\
        ":"qg3ZNXGPvcbsl5VVBIy9tvIu7kSO8ktacUe8wfs38x0"},{"kty":"oct","kid":"h1","k":"c3Nzc3Nzc3Nzc3Nzc3Nzc3\
        Nzc3Nzc3Nzc3Nzc3Nzc3M"},{"kty":"RSA","kid":"enc","use":"enc","n":"2UP5l_gTPyDZd8K17XWcXA5bXLDM4Mwiak\
        7GOPHzU1Ht0EKaZ1xHOKEaiA9jLQwZbMSfxlNSCXn_VckjP1VIj_7yIkZBMz0291-IwKD55_A67qLbV5hZMVRrMUnjNMMJ2xipKi\
        Gr_XlwzvTAw8bKUTs0iQthYsaAHVKP0MOWrtd1AKf8WNGfCnblReoD9HZA3rBI3bA5Fry_ACuP_Lt0hoM874wLwbV9UUegORNgNf\
        2dXImD8b26HGdIvcKlw6Zk3i49DOxr2In583g_vkkiQGUlaAOqU9lsPylUDENYm0PTNkOPHMTXxtvB0owphTFsWLcNZ42e7OvKvz\
        cWgV8x3Q","e":"AQAB"},{"kty":"RSA","kid":"weak","n":"qPmhi5EyPp3ZqXDDGnld31LeTKGEdgZK035xUcpfATLUC3O\
        e2rMb6bpeKLW1EnVfXQV4KcDaE9wCPhfts17MulpUMaAG9a7VPzrGMw_XVzsPAN53-hJk6dD5wnQn2E5f9UiigelUVGdkNEHHFrG\
        zLTiMx4dAg0rJKYRV_JXyAqc","e":"AQAB"}]}
        """

    /// An RS256 token, role in capitals.
    static let rs256 = """
        eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInIxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgI\
        mF1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwM\
        DAwMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5M\
        GEwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogIkFETUlOIn0.tTftM\
        VrNGwWrToP2Srk7MPD0rDbbCEWpN0QpuHZm2ZscwLmxutqLJ11m7tw0yUeY5Fy6YiDTLH6n3oZqhFIRBRMGBWbTJuT8DHHw7BNb3\
        T_95LKekQXZ5N1WcoGCvsPOWmIETaP6RKjldeK36NpbMI105xY59qlefbRJY2DZUWfwx4WyxocucRb5l004QGVmZKUjLFdFXMXSy\
        sQ0olK6-ixM9lop9ft7F9PISem3og4Tu3VKdWJV095r5Ip9CNdhUv7_brEDXwNm02v8At3mMpHv_1GJTzYjqpJTjjmp6MotlHns1\
        2DfTkvERfweMVcY2sJwHog_hjt9ev1W-rgplA
        """

    /// An ES256 token.
    static let es256 = """
        eyJhbGciOiAiRVMyNTYiLCAia2lkIjogImUxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgI\
        mF1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwM\
        DAwMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5M\
        GEwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogIk1lbWJlciJ9.iXTa\
        lQredy06JR5NrPYUwbsg8326jQk6vaVl6NapBnHIuBMLPNTTbtXC_5yyyexhiiD7bNb6XhdbNrvgJS97eg
        """

    /// An EdDSA token.
    static let edDSA = """
        eyJhbGciOiAiRWREU0EiLCAia2lkIjogImQxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgI\
        mF1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwM\
        DAwMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5M\
        GEwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogInZpZXdlciJ9.XXpl\
        ThZSZuj35UJLfKtxScLUq8QQwn8WaPSqgAkQX5RFtqBhqBYVr_qSnJlhHf4aBJ4rBPi7m0s1x2pF-in0DA
        """

    /// Algorithm none, with an empty signature.
    static let unsigned = """
        eyJhbGciOiAibm9uZSIsICJraWQiOiAicjEiLCAidHlwIjogIkpXVCJ9.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgImF\
        1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDA\
        wMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5MGE\
        wMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogImFkbWluIn0.
        """

    /// Algorithm none, with something where the signature stands.
    static let unsignedWithBytes = """
        eyJhbGciOiAibm9uZSIsICJraWQiOiAicjEiLCAidHlwIjogIkpXVCJ9.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgImF\
        1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDA\
        wMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5MGE\
        wMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogImFkbWluIn0.eA
        """

    /// HS256 with the RSA key's PEM text as the secret.
    static let confused = """
        eyJhbGciOiAiSFMyNTYiLCAia2lkIjogInIxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgI\
        mF1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwM\
        DAwMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5M\
        GEwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogImFkbWluIn0.uXvfW\
        X6l3hhxglpudIsAe4aO6P_hZ45MLrTgBXYR-vk
        """

    /// HS256 with the symmetric key that the set lists.
    static let symmetric = """
        eyJhbGciOiAiSFMyNTYiLCAia2lkIjogImgxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgI\
        mF1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwM\
        DAwMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5M\
        GEwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogImFkbWluIn0.raSlr\
        dEemvAVPj48IVsEuVSPKWtNrz-yAd8KSxqAsNM
        """

    /// An EdDSA signature under the RSA key's id.
    static let crossed = """
        eyJhbGciOiAiRWREU0EiLCAia2lkIjogInIxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgI\
        mF1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwM\
        DAwMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5M\
        GEwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogImFkbWluIn0.cqjuK\
        aaVzSpVoRLg49mcUKT2hDupDrsliGa7U4XPX708o5FrmkjqzqZdqQCvjHGhb5GmR_hyQwKD9SQFsd2BBw
        """

    /// An RS256 signature that says ES256.
    static let renamed = """
        eyJhbGciOiAiRVMyNTYiLCAia2lkIjogInIxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgI\
        mF1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwM\
        DAwMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5M\
        GEwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogImFkbWluIn0.K-x2B\
        IKjAF4iN1OAN97eje-11kemY0sXVDDkC0NatyxAGsksa2jAVgJ7HL5FNbWzUrIqDTANXwMd8H6KiqyYXVW5heUHEsPv8SPMJ4tQA\
        nZCJUfooOVMuqFeVvAm41kXSy60Ua89c_xxojEToa6zmxcv8ld9FzjlEPH-5H_HkXLYKUqEHoTPggy-pO07BnDC2NEFgQuPqQinB\
        61n7RFW0hpKXGxeNfvWQxgJtWcdG2XVcWjZ0dmr2RZYdE_owKT8Pb5qST62Vdr4iV7s52CzPF1ycJxypwa9i0Y9b2ww6FnGsZNvs\
        ZMmQ8WE8RdbzWmbk9ZmAfwQg0DYx5vlR1Vatg
        """

    /// An RSA-PSS signature that says RS256.
    static let pss = """
        eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInIxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgI\
        mF1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwM\
        DAwMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5M\
        GEwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogImFkbWluIn0.kdrsd\
        nuIT4cX-79mhzExbnVr11cwok4BpYkq9suEwfWQ2gA3FM2RS5OYt8hn5Eg9Ao2LS4R4Gc_nqMkbw5SUv0nNScHqwAZf-vVyjPUYi\
        iFoXlifEvVDIVk0u7VXW3Ew0MsiIrli9dsrZgbyv_MtlMAUX1EIS9e_1wah63NDge6MdgpjcYmo043fRokVt2Rb5jUqOfmJPIrcb\
        CU5YtTsrl2MuvEx0MBpr53FTTy-RfB3vELSo2HECqtaqH29UVnEZZNSG-w3I3RK3Qhc6dwxv8P7C0MCmnbetf2U34LcfvB_nnOXX\
        0Y832ZmQE8ZMrryM2-TQ4xbAe3Umfu_xAgHhA
        """

    /// An ES256 signature in DER.
    static let der = """
        eyJhbGciOiAiRVMyNTYiLCAia2lkIjogImUxIiwgInR5cCI6ICJKV1QifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwgI\
        mF1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwM\
        DAwMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5M\
        GEwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogImFkbWluIn0.MEYCI\
        QDvF3MoRw1C3UWnTOvPBjoEBQiAQaGB9KnhW9HTvkGPlQIhANnR1NpY_slrGqwsqqkQPwEEI-bdgyHc7SETUtiqsfXo
        """

    /// An RS256 token under a key that is for encryption.
    static let encryption = """
        eyJhbGciOiAiUlMyNTYiLCAia2lkIjogImVuYyIsICJ0eXAiOiAiSldUIn0.eyJpc3MiOiAiaHR0cHM6Ly9pZC5leGFtcGxlIiwg\
        ImF1ZCI6IFsib3RoZXIiLCAidHJhZGV3aW5kLXRlc3QiXSwgInN1YiI6ICIwMTkwYTAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAw\
        MDAwMDMiLCAidGVuYW50X2lkIjogIjAxOTBhMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMSIsICJvcmdfaWQiOiAiMDE5\
        MGEwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAyIiwgImV4cCI6IDQxMDI0NDQ4MDAsICJyb2xlIjogImFkbWluIn0.srBK\
        7uB6rBOxtKzzDwWScGcEKFST8-T-iy_LPMmtq4m0aoMrKgsiG1e4-iNy2Rpm0KdbOvCbvkt5GJBG94UlT31Fwn4JiMPXw65o5iQ3\
        dyJqmsSCv_burchO7jmIioBAjq32xhridpgwMVzLakkpvNT-KlawmoCwnIrtzRANKs2H0niHsXK6VVs4IG_02gsvUSUwWVnpViqT\
        3pamK7npPiNhLf248qqWrmsckAXO7MzXySjoDy_ni5vkQmkavzfBEVpehReSWaclHFvAuIuGQ8U5_f8GPNUE5LDjqBCy0b07_zFc\
        dY19VnwPgLHUMBkmxcrgKHhi89l2kw5sYV-Zdw
        """
}
