import Storage
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps a second server away from the same data. The kernel drops the lock with the process, however that ends.
final class LockFile: Sendable {
    private let descriptor: Mutex<Int32?>

    init(path: String) throws(StorageError) {
        let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StorageError(.unavailable, "can not open \(path): \(String(cString: strerror(errno)))")
        }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let words = errno == EWOULDBLOCK ? "another server has this data open" : String(cString: strerror(errno))
            close(descriptor)
            throw StorageError(.unavailable, "can not lock \(path): \(words)")
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    /// Lets others in. The file stays: deleting it would let two servers lock two files of one name.
    func release() {
        descriptor.withLock { descriptor in
            if let open = descriptor { close(open) }
            descriptor = nil
        }
    }
}
