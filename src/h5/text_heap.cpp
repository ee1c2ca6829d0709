// SPDX-License-Identifier: MIT
#include "h5/text_heap.hpp"

#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/error.hpp"
#include "h5/stored_size.hpp"

namespace popflow::h5 {

namespace {

const char* const tag = "popflow.text";
constexpr std::size_t most_shared_text = std::size_t{1} << 20;
constexpr std::size_t most_recent = 16;
constexpr std::size_t reference_head = 4;  // bytes of the length; as many hold the number

std::uint64_t little_endian(std::span<const std::uint8_t> bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | bytes[i];
    return value;
}

Handle opaque_type(std::size_t bytes) {
    Handle type(H5Tcreate(H5T_OPAQUE, bytes));
    H5Tset_tag(type.id(), tag);
    return type;
}

// A string of the file is its reference already: nothing is to be done but to allow it.
extern "C" herr_t keep_reference(hid_t from, hid_t to, H5T_cdata_t* state, std::size_t, std::size_t,
                                 std::size_t, void*, void*, hid_t) {
    if (state->command != H5T_CONV_INIT) return 0;
    state->need_bkg = H5T_BKG_NO;
    if (H5Tis_variable_str(from) <= 0 || H5Tget_size(from) != H5Tget_size(to)) return -1;
    char* name = H5Tget_tag(to);
    const bool ours = name != nullptr && std::string(name) == tag;
    H5free_memory(name);
    return ours ? 0 : -1;
}

// Teaches HDF5 to give references in place of text.
void register_conversion() {
    static const bool done = [] {
        const Handle text(H5Tcopy(H5T_C_S1));
        H5Tset_size(text.id(), H5T_VARIABLE);
        const Handle reference = opaque_type(2 * reference_head + sizeof(haddr_t));
        return H5Tregister(H5T_PERS_SOFT, tag, text.id(), reference.id(), keep_reference) >= 0;
    }();
    if (!done) throw core::Error("HDF5 does not take a conversion of strings");
}

}  // namespace

TextHeap::TextHeap(std::int64_t id, std::string file, std::string path)
    : file_(std::move(file)), path_(std::move(path)), open_file_(H5Iget_file_id(id)) {
    register_conversion();
    const Handle access(H5Fget_access_plist(open_file_.id()));
    void* driver = nullptr;
    // What was written is to be where it is read.
    check(H5Fflush(open_file_.id(), H5F_SCOPE_GLOBAL), file_, path_, "cannot write");
    if (H5Pget_driver(access.id()) != H5FD_SEC2 ||
        H5Fget_vfd_handle(open_file_.id(), H5P_DEFAULT, &driver) < 0) {
        throw core::DataError(file_, path_, "cannot read strings of a file that does not lie on a disk");
    }
    descriptor_ = *static_cast<const int*>(driver);
    file_bytes_ = file_bytes(id);
    const Handle creation(H5Fget_create_plist(open_file_.id()));
    hsize_t base = 0;
    H5Pget_userblock(creation.id(), &base);
    base_ = base;
    H5Pget_sizes(creation.id(), &address_bytes_, &length_bytes_);
    type_ = opaque_type(reference_bytes());
}

void TextHeap::damaged(const std::string& what) const {
    throw core::DataError(file_, path_, "is damaged: " + what);
}

void TextHeap::read_bytes(std::uint64_t address, std::span<std::uint8_t> out) const {
    const std::uint64_t end = file_bytes_ - std::min(base_, file_bytes_);
    if (address > end || out.size() > end - address) damaged("text lies beyond the end of the file");
    for (std::size_t done = 0; done < out.size();) {
        const ssize_t n = ::pread(descriptor_, out.data() + done, out.size() - done,
                                  static_cast<off_t>(base_ + address + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) damaged("text cannot be read");
        done += static_cast<std::size_t>(n);
    }
}

// "GCOL", version, 3 bytes, size of all.
std::uint64_t TextHeap::size_at(std::uint64_t address) const {
    const std::size_t head = 8 + length_bytes_;
    std::array<std::uint8_t, 16> start{};
    if (head > start.size()) damaged("sizes of " + std::to_string(length_bytes_) + " bytes");
    read_bytes(address, std::span(start).first(head));
    const std::uint64_t size = little_endian(std::span(start).subspan(8, length_bytes_));
    if (!std::equal(start.begin(), start.begin() + 4, "GCOL") || size < head || size > file_bytes_)
        damaged("text is not where it should be");
    return size;
}

// Then objects: number (2), references (2), 4 bytes, size, content in eights. Number 0 is what is free, up to
// the end.
void TextHeap::parse(Collection& collection) const {
    const std::size_t head = 8 + length_bytes_;
    read_bytes(collection.address, collection.bytes);
    const std::span<const std::uint8_t> bytes(collection.bytes);
    for (std::size_t at = (head + 7) / 8 * 8; at + head <= bytes.size();) {
        const std::uint64_t number = little_endian(bytes.subspan(at, 2));
        const std::uint64_t length = little_endian(bytes.subspan(at + 8, length_bytes_));
        if (number == 0) break;
        const std::size_t begin = at + (head + 7) / 8 * 8;
        if (begin > bytes.size() || length > bytes.size() - begin) damaged("text is longer than its place");
        if (collection.objects.size() <= number) collection.objects.resize(number + 1);
        collection.objects[number] = {begin, length};
        at = begin + (length + 7) / 8 * 8;
    }
}

const TextHeap::Collection& TextHeap::collection(std::uint64_t address) {
    const auto known =
        std::ranges::find_if(recent_, [&](const Collection& c) { return c.address == address; });
    if (known != recent_.end()) return *known;
    const std::uint64_t size = size_at(address);
    // Collections of a sound file lie beside each other, and so do not hold more than it.
    const auto too_much = [&] {
        std::uint64_t held = size;
        for (const Collection& c : recent_) held += c.bytes.size();
        return recent_.size() >= most_recent || held > file_bytes_;
    };
    while (!recent_.empty() && too_much()) recent_.erase(recent_.begin());
    Collection added{.address = address, .bytes = std::vector<std::uint8_t>(size), .objects = {}};
    parse(added);
    return recent_.emplace_back(std::move(added));
}

std::vector<std::string> TextHeap::read(std::span<const std::uint8_t> references) {
    const std::size_t step = reference_bytes();
    std::vector<std::string> strings(references.size() / step);
    std::uint64_t left = file_bytes_ + most_shared_text;
    for (std::size_t i = 0; i < strings.size(); ++i) {
        const auto reference = references.subspan(i * step, step);
        const std::uint64_t length = little_endian(reference.first(reference_head));
        const std::uint64_t address = little_endian(reference.subspan(reference_head, address_bytes_));
        const std::uint64_t number = little_endian(reference.last(reference_head));
        // Nothing was written, or an empty string.
        if (address == 0 || length == 0) continue;
        const Collection& from = collection(address);
        if (number >= from.objects.size() || from.objects[number].begin == 0)
            damaged("text that its heap does not have");
        const Place place = from.objects[number];
        if (length > place.size) damaged("text is longer than its place");
        if (length > left) damaged("more text than the file can hold");
        left -= length;
        const auto* begin = from.bytes.data() + place.begin;
        strings[i].assign(begin, std::find(begin, begin + length, std::uint8_t{0}));
    }
    return strings;
}

}  // namespace popflow::h5
