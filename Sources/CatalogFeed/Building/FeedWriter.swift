import Events
import Kernel

/// Puts segments one behind the other into a data file: a new one, or behind what stands in the old one already.
struct FeedWriter {
    private let data: DataFile
    private let name: String
    private var end: Int
    /// The file whose segments may be kept: the same one, or another from which they are copied.
    private let old: DataFile?
    private let copies: Bool
    private(set) var segments: [FeedSegment] = []

    /// Writes a whole new file; kept segments are copied over.
    init(new name: String, _ scope: Scope, in folder: FeedFolder, copyingFrom old: DataFile? = nil) throws {
        data = try folder.makeData(name, scope)
        self.name = name
        self.old = old
        end = 0
        copies = true
    }

    /// Appends to the file that there is; kept segments stay where they are.
    init(appendingTo file: FeedFile) throws {
        data = try DataFile.open(file.dataPath, toAppend: true)
        name = file.manifest.dataName
        old = nil
        end = try data.count()
        copies = false
    }

    mutating func add(_ sealed: SealedSegment) throws {
        var segment = sealed.segment
        segment.offset = end
        try data.append(sealed.bytes)
        end += sealed.bytes.count
        segments.append(segment)
    }

    mutating func keep(_ segment: FeedSegment) throws {
        guard copies, let old else {
            segments.append(segment)
            return
        }
        try add(SealedSegment(copied: segment, bytes: old.read(at: segment.offset, count: segment.byteCount)))
    }

    /// Forces the data to the disk, then the manifest that names it.
    func finish(_ manifest: FeedManifest, _ scope: Scope, in folder: FeedFolder) throws -> FeedFile {
        var manifest = manifest
        manifest.dataName = name
        manifest.segments = segments
        try data.synchronise()
        try folder.store(manifest, scope)
        return FeedFile(scope: scope, manifest: manifest, dataPath: folder.dataPath(name, scope), isOwn: true)
    }
}
