import Kernel

/// What `/.well-known/ucp` tells agents: which version is spoken here, where, and what can be asked.
package enum UCPProfile {
    /// - Parameter endpoint: the address that paths are appended to, without a slash at its end.
    package static func document(endpoint: String) -> [UInt8] {
        let version = UCPEmitter.version
        let home = "https://ucp.dev/\(version)"
        return JSONWriter.object { writer in
            writer.objectField("ucp") { writer in
                writer.field("version", version)
                writer.objectField("services") { writer in
                    writer.arrayField("dev.ucp.shopping") { writer in
                        writer.object { writer in
                            writer.field("version", version)
                            writer.field("spec", "\(home)/specification/overview")
                            writer.field("transport", "rest")
                            writer.field("endpoint", endpoint)
                            writer.field("schema", "\(home)/services/shopping/rest.openapi.json")
                        }
                    }
                }
                writer.objectField("capabilities") { writer in
                    for name in ["search", "lookup"] {
                        writer.arrayField("dev.ucp.shopping.catalog.\(name)") { writer in
                            writer.object { writer in
                                writer.field("version", version)
                                writer.field("spec", "\(home)/specification/catalog/\(name)")
                                writer.field("schema", "\(home)/schemas/shopping/catalog_\(name).json")
                            }
                        }
                    }
                }
                writer.key("payment_handlers")
                writer.value(.object(.empty))
            }
        }
    }
}
