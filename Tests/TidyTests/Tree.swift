import Foundation

/// One text file of the repository, by its path from the root.
struct TextFile: Sendable {
    let path: String
    let text: String
    let lines: [String]
    /// For Swift files, the views of `SwiftScanner` by line; elsewhere empty.
    let code: [String]
    let comments: [String]
    let interpolations: [String]

    init(_ path: String, _ text: String) {
        self.path = path
        self.text = text
        lines = TextFile.lines(Array(text.utf8))
        if path.hasSuffix(".swift") {
            let scanner = SwiftScanner(text)
            code = TextFile.lines(scanner.code)
            comments = TextFile.lines(scanner.comments)
            interpolations = TextFile.lines(scanner.interpolations)
        } else {
            code = []
            comments = []
            interpolations = []
        }
    }

    /// The last path component without its extension.
    var name: String {
        let last = path.split(separator: "/").last ?? ""
        return String(last.prefix { $0 != "." })
    }

    /// The folder, with a closing slash; empty at the root.
    var folder: String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    /// The target that a file of `Sources/` belongs to.
    var target: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    /// Recorded by others; kept byte for byte.
    var isRecorded: Bool { path.contains("/Fixtures/") || path.contains("/Vectors/") }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        var parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        return parts.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// The files that the rules judge: the repository's own, or a sample's.
struct Tree: Sendable {
    let files: [TextFile]
    /// Paths whose file may be executed.
    let executables: Set<String>
    private let paths: Set<String>

    init(_ files: [TextFile], executables: Set<String> = []) {
        self.files = files.sorted { $0.path < $1.path }
        self.executables = executables
        paths = Set(files.map(\.path))
    }

    subscript(path: String) -> TextFile? { files.first { $0.path == path } }

    func under(_ folder: String) -> [TextFile] { files.filter { $0.path.hasPrefix(folder) } }

    /// Whether a path names a file or a folder with files in it.
    func has(_ path: String) -> Bool {
        let bare = path.hasSuffix("/") ? String(path.dropLast()) : path
        return bare.isEmpty || paths.contains(bare) || paths.contains { $0.hasPrefix(bare + "/") }
    }
}

extension Tree {
    /// The repository that this file lies in, three folders up.
    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// What a clone holds: hidden and built folders are left out, apart from the few hidden files that are ours.
    static let repository = Tree.load(root)

    private static let ownHidden: Set<String> = [".ci", ".swift-format", ".gitignore"]

    private static func load(_ root: URL) -> Tree {
        var files: [TextFile] = []
        var executables: Set<String> = []
        var folders = [""]
        while let folder = folders.popLast() {
            let here = root.appendingPathComponent(folder)
            for name in (try? FileManager.default.contentsOfDirectory(atPath: here.path)) ?? [] {
                if name.hasPrefix(".") && !ownHidden.contains(name) { continue }
                if ["__pycache__", "Package.resolved"].contains(name) || (folder.isEmpty && name == "data") {
                    continue
                }
                let path = folder + name
                let full = root.appendingPathComponent(path).path
                var isFolder: ObjCBool = false
                guard FileManager.default.fileExists(atPath: full, isDirectory: &isFolder) else { continue }
                if isFolder.boolValue {
                    folders.append(path + "/")
                } else if let bytes = FileManager.default.contents(atPath: full),
                    let text = String(validating: bytes, as: UTF8.self)
                {
                    files.append(TextFile(path, text))
                    if FileManager.default.isExecutableFile(atPath: full) { executables.insert(path) }
                }
            }
        }
        return Tree(files, executables: executables)
    }
}
