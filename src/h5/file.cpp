// SPDX-License-Identifier: MIT
#include "h5/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "core/error.hpp"
#include "core/stored_file.hpp"
#include "h5/hardening/file_guard.hpp"
#include "h5/hardening/object_header.hpp"
#include "h5/lzf.hpp"

namespace popflow::h5 {

namespace {

// Access properties without file locks.
Handle access_properties(H5F_close_degree_t degree) {
    Handle access(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_fclose_degree(access.id(), degree);
#if H5_VERSION_GE(1, 10, 7)
    H5Pset_file_locking(access.id(), false, true);
#endif
    return access;
}

// Opens a file for reading. A file that HDF5 has open already cannot be opened with other access properties.
Handle open_for_reading(const std::string& path) {
    const Handle access = access_properties(H5F_CLOSE_WEAK);
    try {
        return own(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), path, "", "cannot open");
    } catch (const core::DataError& error) {
        // The causes of HDF5: "file locking flag values don't match" and "file close degree doesn't match".
        if (std::string_view(error.what()).ends_with("t match"))
            throw core::DataError(
                path, "",
                "is open in this process with other properties, for example in h5py or as a "
                "backed AnnData. Close it first");
        throw;
    }
}

// Tries open(2) with the given flags. Returns its errno, or 0 if it succeeds.
int try_open(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    if (fd < 0) return errno;
    ::close(fd);
    return 0;
}

}  // namespace

Group open_file(const std::string& path, const std::vector<std::string>& skipped) {
    std::error_code ignored;
    const std::filesystem::file_status status = std::filesystem::status(path, ignored);
    if (std::filesystem::is_directory(status)) {
        throw core::DataError(path, "", "found a folder. Give an HDF5 file");
    }
    // Opening a pipe would block until another process writes to it.
    if (std::filesystem::is_other(status)) {
        throw core::DataError(path, "", "found a device or pipe. Give an HDF5 file");
    }
    if (const int error = try_open(path, O_RDONLY); error != 0)
        throw core::DataError(path, "", "cannot open: " + std::generic_category().message(error));
    if (FileGuard* guard = FileGuard::current()) guard->check(path, skipped);
    return open_unguarded(path);
}

std::string library() {
    disable_error_printing();
    register_lzf();
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    check(H5get_libversion(&major, &minor, &release), "HDF5", "", "has no version");
    std::string text = fmt::format("HDF5 {}.{}.{}, filters", major, minor, release);
    const std::pair<H5Z_filter_t, const char*> filters[] = {{H5Z_FILTER_DEFLATE, "gzip"},
                                                            {H5Z_FILTER_SZIP, "szip"},
                                                            {32000, "lzf"},
                                                            {32001, "blosc"},
                                                            {32015, "zstd"}};
    for (const auto& [filter, name] : filters) {
        if (H5Zfilter_avail(filter) > 0) text += std::string(" ") + name;
    }
    return text;
}

Group open_unguarded(const std::string& path) {
    disable_error_printing();
    register_lzf();
    if (H5Fis_hdf5(path.c_str()) <= 0) throw core::DataError(path, "", "is not an HDF5 file");
    const Handle file = open_for_reading(path);
    Handle root = own(H5Gopen2(file.id(), "/", H5P_DEFAULT), path, "", "cannot open");
    check_attributes(root.id(), path, "/");
    return Group(std::move(root), path, "/");
}

WritableFile::WritableFile(const std::string& path, std::string reported) : reported_(std::move(reported)) {
    disable_error_printing();
    register_lzf();
    const Handle access = access_properties(H5F_CLOSE_STRONG);
    file_ = own(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.id()), reported_, "", "cannot open for writing");
}

Group WritableFile::root() {
    return Group(own(H5Gopen2(file_.id(), "/", H5P_DEFAULT), reported_, "", "cannot open"), reported_, "/");
}

void WritableFile::close() {
    if (!file_) return;
    check(H5Fflush(file_.id(), H5F_SCOPE_GLOBAL), reported_, "", "cannot write");
    if (!file_.reset()) check(-1, reported_, "", "cannot write: HDF5 cannot close the file");
}

MemoryFile::MemoryFile(std::string reported) : reported_(std::move(reported)) {
    disable_error_printing();
    Handle creation(H5Pcreate(H5P_FILE_CREATE));
    H5Pset_obj_track_times(creation.id(), false);
    const Handle access = access_properties(H5F_CLOSE_STRONG);
    constexpr std::size_t growth = std::size_t{4} << 20U;
    check(H5Pset_fapl_core(access.id(), growth, false), reported_, "", "cannot create in memory");
    // The suffix avoids the name of a file on disk: HDF5 would read that file first, for nothing.
    file_ = own(H5Fcreate((reported_ + ".in-memory").c_str(), H5F_ACC_TRUNC, creation.id(), access.id()),
                reported_, "", "cannot create in memory");
}

Group MemoryFile::root() {
    return Group(own(H5Gopen2(file_.id(), "/", H5P_DEFAULT), reported_, "", "cannot open"), reported_, "/");
}

std::vector<std::byte> MemoryFile::bytes() {
    check(H5Fflush(file_.id(), H5F_SCOPE_GLOBAL), reported_, "", "cannot write");
    const auto size = check(H5Fget_file_image(file_.id(), nullptr, 0), reported_, "", "cannot write");
    std::vector<std::byte> image(static_cast<std::size_t>(size));
    check(H5Fget_file_image(file_.id(), image.data(), image.size()), reported_, "", "cannot write");
    return image;
}

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)), temporary_path_(core::temporary_name(path_)) {
    disable_error_printing();
    core::check_regular_file(path_);
    // Tries the operating system first, because its error text is clearer than that of HDF5.
    if (const int error = try_open(temporary_path_, O_WRONLY | O_CREAT); error != 0)
        core::fail_to_create(path_, error);
    has_temporary_ = true;
    Handle creation(H5Pcreate(H5P_FILE_CREATE));
    H5Pset_obj_track_times(creation.id(), false);
    // H5F_CLOSE_STRONG closes all objects with the file, so that none of them keeps it open.
    const Handle access = access_properties(H5F_CLOSE_STRONG);
    try {
        file_ = own(H5Fcreate(temporary_path_.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), path_, "",
                    "cannot create");
    } catch (...) {
        ::unlink(temporary_path_.c_str());
        throw;
    }
}

AtomicFile::~AtomicFile() {
    file_.reset();
    if (has_temporary_) ::unlink(temporary_path_.c_str());
}

Group AtomicFile::root() {
    return Group(own(H5Gopen2(file_.id(), "/", H5P_DEFAULT), path_, "", "cannot open"), path_, "/");
}

void AtomicFile::flush() {
    check(H5Fflush(file_.id(), H5F_SCOPE_GLOBAL), path_, "", "cannot write");
}

void AtomicFile::close() {
    if (!file_) return;
    flush();
    if (!file_.reset()) check(-1, path_, "", "cannot write: HDF5 cannot close the file");
}

void AtomicFile::commit() {
    close();
    core::rename_into_place(path_);
    has_temporary_ = false;
}

}  // namespace popflow::h5
