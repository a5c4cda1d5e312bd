import Events
import Kernel

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file of a feed that could not be read or written, in the system's words.
package struct FeedFileFault: Error, Sendable, CustomStringConvertible {
    package let description: String
    /// Whether the file is not there: another process replaced it, or somebody cleared the folder.
    let isMissing: Bool

    init(_ path: String, _ what: StaticString, number: Int32 = errno) {
        description = "\(path): \(what): \(String(cString: strerror(number)))"
        isMissing = number == ENOENT
    }
}

/// Where the feeds lie: a folder for each organisation, with a manifest and the data file that it names.
struct FeedFolder: Sendable {
    let root: String

    func path(_ scope: Scope) -> String { "\(root)/\(scope.tenant)/\(scope.organisation)" }

    func dataPath(_ name: String, _ scope: Scope) -> String { "\(path(scope))/\(name)" }

    /// The manifest in force; nil when there is none, or none that this version can read.
    func manifest(_ scope: Scope) throws(FeedFileFault) -> FeedManifest? {
        do {
            let file = try DataFile.open("\(path(scope))/manifest.json")
            return FeedManifest(text: try file.read(at: 0, count: try file.count()))
        } catch  where error.isMissing {
            return nil
        }
    }

    /// Makes a data file that no other process appends to.
    func makeData(_ name: String, _ scope: Scope) throws(FeedFileFault) -> DataFile {
        var folder = ""
        for part in path(scope).split(separator: "/", omittingEmptySubsequences: false) {
            folder += folder.isEmpty && part.isEmpty ? "/" : folder.hasSuffix("/") || folder.isEmpty ? part : "/\(part)"
            if folder != "/", mkdir(folder, 0o700) != 0, errno != EEXIST {
                throw FeedFileFault(folder, "the folder can't be made")
            }
        }
        return try DataFile.make(dataPath(name, scope))
    }

    /// Puts a manifest in force at once and for good: written aside, forced to the disk, renamed. Data files of earlier
    /// ones go; whoever reads one still has it open.
    func store(_ manifest: FeedManifest, _ scope: Scope) throws(FeedFileFault) {
        let path = path(scope)
        let draft = "\(path)/manifest-\(manifest.dataName).draft"
        unlink(draft)
        let file = try DataFile.make(draft)
        try file.append(manifest.text)
        try file.synchronise()
        if rename(draft, "\(path)/manifest.json") != 0 { throw FeedFileFault(draft, "can't be renamed") }
        try DataFile.synchroniseFolder(path)
        for name in FeedFolder.names(path) where name.hasPrefix("segments-") && name != manifest.dataName {
            unlink("\(path)/\(name)")
        }
    }

    private static func names(_ path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }
}
