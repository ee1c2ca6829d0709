// SPDX-License-Identifier: MIT
#include "core/stored_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "core/error.hpp"

namespace popflow::core {

namespace {

std::string reason() {
    return std::generic_category().message(errno);
}

class Descriptor {
  public:
    Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    bool is_open() const { return fd_ >= 0; }
    bool write(std::span<const std::byte> bytes) const {
        while (!bytes.empty()) {
            // Linux writes at most 2 GiB per call.
            const std::size_t piece = std::min(bytes.size(), std::size_t{1} << 30U);
            const ssize_t n = ::write(fd_, bytes.data(), piece);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return false;
            if (n == 0) {
                errno = ENOSPC;
                return false;
            }
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
        return true;
    }
    bool sync() const { return is_open() && ::fsync(fd_) == 0; }
    // Checked, because network file systems report a full disk or quota only when a file is closed.
    bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

  private:
    int fd_;
};

[[noreturn]] void fail_to_write(const std::string& path, const std::string& why) {
    ::unlink(temporary_name(path).c_str());
    throw WriteError(path, "cannot write: " + why);
}

// Returns the file that a symbolic link points to, which is replaced in place of the link.
std::string target_of(const std::string& path) {
    std::filesystem::path target = path;
    std::error_code error;
    for (int links = 0; links < 40 && std::filesystem::is_symlink(target, error); ++links) {
        const std::filesystem::path next = std::filesystem::read_symlink(target, error);
        if (error) break;
        target = target.parent_path() / next;  // `next` alone if it is absolute
    }
    return target.string();
}

}  // namespace

void check_regular_file(const std::string& path) {
    std::error_code ignored;
    const std::filesystem::file_status status = std::filesystem::status(path, ignored);
    if (std::filesystem::is_directory(status))
        throw DataError(path, "", "cannot create: found a folder of this name. Give the name of a file");
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        throw DataError(path, "",
                        "cannot create: found a device or pipe of this name. Give the name of a file");
}

void fail_to_create(const std::string& path, int error) {
    const std::string problem = "cannot create: " + std::generic_category().message(error);
    if (error == ENOSPC || error == EDQUOT || error == EIO || error == EFBIG) throw WriteError(path, problem);
    throw DataError(path, "", problem);
}

int open_unlinked_file(const std::string& sibling) {
    const std::filesystem::path folder = std::filesystem::path(sibling).parent_path();
    int fd = ::open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    std::string name = sibling + ".XXXXXX";
    fd = ::mkstemp(name.data());
    if (fd < 0) fail_to_create(sibling, errno);
    ::unlink(name.c_str());
    return fd;
}

std::string temporary_name(const std::string& path) {
    return target_of(path) + ".tmp";
}

void write_temporary(const std::string& path, std::span<const std::byte> bytes) {
    Descriptor file(temporary_name(path), O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.is_open()) {
        fail_to_create(path, errno);
    }
    if (!file.write(bytes) || !file.sync() || !file.close()) fail_to_write(path, reason());
}

void rename_into_place(const std::string& path) {
    check_regular_file(path);
    const std::string temporary = temporary_name(path);
    {
        Descriptor file(temporary, O_RDONLY);
        if (!file.sync()) throw WriteError(path, "cannot write to disk: " + reason());
    }
    const std::string target = target_of(path);
    if (std::rename(temporary.c_str(), target.c_str()) != 0)
        throw WriteError(path, "cannot rename " + temporary + ": " + reason());
    sync_parent_folder(target);
}

void store_file(const std::string& path, std::span<const std::byte> bytes) {
    check_regular_file(path);
    write_temporary(path, bytes);
    try {
        rename_into_place(path);
    } catch (...) {
        ::unlink(temporary_name(path).c_str());
        throw;
    }
}

std::optional<std::string> file_contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    std::string contents;
    std::array<char, 16384> block;
    do {
        in.read(block.data(), static_cast<std::streamsize>(block.size()));
        contents.append(block.data(), static_cast<std::size_t>(in.gcount()));
    } while (in);
    if (in.bad()) return std::nullopt;
    return contents;
}

void sync_parent_folder(const std::string& path) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    // Errors are ignored: some file systems cannot sync a folder, and the file itself is synced already.
    (void)Descriptor(folder.empty() ? "." : folder.string(), O_RDONLY | O_DIRECTORY).sync();
}

void check_can_create(const std::string& path) {
    check_regular_file(path);
    const std::string temporary = temporary_name(path);
    if (!Descriptor(temporary, O_WRONLY | O_CREAT).is_open()) fail_to_create(path, errno);
    ::unlink(temporary.c_str());
}

}  // namespace popflow::core
