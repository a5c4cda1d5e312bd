import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("API keys")
struct APIKeyStoryTests {
    @Test("A key opens the API for its role until it is revoked, also after a kill", arguments: TestEngine.allCases)
    func life(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let token = try await server.token()
            let made = try await server.caller(token: token).post(
                "/api/v1/api-keys", #"{"label": "till", "role": "viewer"}"#)
            #expect(made.status == 201)
            let key = try made.text("key")
            #expect(key.hasPrefix("tw_"))

            await server.kill()
            try await server.start()
            let admin = server.caller(token: token)
            let holder = server.caller(token: key)

            #expect(try await holder.get("/api/v1/oms/orders").status == 200)
            #expect(try await holder.post("/api/v1/pim/products", #"{"title": "Shirt"}"#).status == 403)
            #expect(try await admin.get("/api/v1/api-keys").page().allSatisfy { $0["key"] == nil })
            #expect(try await admin.call(.delete, "/api/v1/api-keys/\(made.text("id"))").status == 204)
            try await until("the key is refused") { try await holder.get("/api/v1/oms/orders").status == 401 }
        }
    }
}
