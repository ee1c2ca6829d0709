// SPDX-License-Identifier: MIT
#include "h5/hardening/text_heap.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"

namespace popflow::h5 {

namespace {

const char* const tag = "popflow.text";
constexpr std::size_t max_shared_text = std::size_t{1} << 20;
constexpr std::size_t max_cached = 16;  // collections
constexpr std::size_t field_bytes = 4;  // size of the length and of the index in a reference

Handle opaque_type(std::size_t bytes) {
    Handle type(H5Tcreate(H5T_OPAQUE, bytes));
    H5Tset_tag(type.id(), tag);
    return type;
}

// Conversion callback from strings to references. A string in the file already is a reference, so the
// callback only permits the conversion and copies nothing.
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

// Registers the conversion with HDF5, so that reads return references instead of text.
void register_conversion() {
    static const bool done = [] {
        const Handle text(H5Tcopy(H5T_C_S1));
        H5Tset_size(text.id(), H5T_VARIABLE);
        const Handle reference = opaque_type(2 * field_bytes + sizeof(haddr_t));
        return H5Tregister(H5T_PERS_SOFT, tag, text.id(), reference.id(), keep_reference) >= 0;
    }();
    if (!done) throw core::Error("HDF5 cannot register the conversion of strings to references");
}

}  // namespace

TextHeap::TextHeap(std::int64_t id, std::string file, std::string path)
    : raw_(id, std::move(file), std::move(path)) {
    register_conversion();
    type_ = opaque_type(reference_bytes());
}

// Reads the size of a collection. Layout of its head: "GCOL", version (1 byte), unused (3), size of the
// collection.
std::uint64_t TextHeap::collection_size(std::uint64_t address) const {
    const std::size_t head = 8 + raw_.length_bytes();
    std::array<std::uint8_t, 16> start{};
    if (head > start.size())
        raw_.throw_damaged(
            fmt::format("found lengths of {} bytes, which are at most 8", raw_.length_bytes()));
    raw_.read(address, std::span(start).first(head), "text");
    const std::uint64_t size = little_endian(std::span(start).subspan(8, raw_.length_bytes()));
    if (!std::equal(start.begin(), start.begin() + 4, "GCOL") || size < head || size > raw_.size())
        raw_.throw_damaged("found no text at the address of a string");
    return size;
}

// Reads a collection and finds its objects. Layout of an object, with sizes in bytes: index (2), references
// (2), unused (4), size, contents padded to a multiple of 8. Index 0 is the free space, which extends to the
// end.
void TextHeap::parse(Collection& collection) const {
    const std::size_t head = 8 + raw_.length_bytes();
    raw_.read(collection.address, collection.bytes, "text");
    const std::span<const std::uint8_t> bytes(collection.bytes);
    for (std::size_t at = (head + 7) / 8 * 8; at + head <= bytes.size();) {
        const std::uint64_t index = little_endian(bytes.subspan(at, 2));
        const std::uint64_t length = little_endian(bytes.subspan(at + 8, raw_.length_bytes()));
        if (index == 0) break;
        const std::size_t begin = at + (head + 7) / 8 * 8;
        if (begin > bytes.size() || length > bytes.size() - begin)
            raw_.throw_damaged("text is longer than its heap object");
        if (collection.objects.size() <= index) collection.objects.resize(index + 1);
        collection.objects[index] = {begin, length};
        at = begin + (length + 7) / 8 * 8;
    }
}

const TextHeap::Collection& TextHeap::collection(std::uint64_t address) {
    const auto cached =
        std::ranges::find_if(cache_, [&](const Collection& c) { return c.address == address; });
    if (cached != cache_.end()) return *cached;
    const std::uint64_t size = collection_size(address);
    // Collections of an intact file do not overlap, so together they are not longer than the file.
    const auto is_cache_full = [&] {
        std::uint64_t held = size;
        for (const Collection& c : cache_) held += c.bytes.size();
        return cache_.size() >= max_cached || held > raw_.size();
    };
    while (!cache_.empty() && is_cache_full()) cache_.erase(cache_.begin());
    Collection added{.address = address, .bytes = std::vector<std::uint8_t>(size), .objects = {}};
    parse(added);
    return cache_.emplace_back(std::move(added));
}

std::vector<std::string> TextHeap::read(std::span<const std::uint8_t> references) {
    const std::size_t step = reference_bytes();
    std::vector<std::string> strings(references.size() / step);
    std::uint64_t left = raw_.size() + max_shared_text;
    for (std::size_t i = 0; i < strings.size(); ++i) {
        const auto reference = references.subspan(i * step, step);
        const std::uint64_t length = little_endian(reference.first(field_bytes));
        const std::uint64_t address = little_endian(reference.subspan(field_bytes, raw_.address_bytes()));
        const std::uint64_t index = little_endian(reference.last(field_bytes));
        // The string is empty or was never written.
        if (address == 0 || length == 0) continue;
        const Collection& from = collection(address);
        if (index >= from.objects.size() || from.objects[index].begin == 0)
            raw_.throw_damaged("a string refers to text that its heap does not have");
        const HeapObject object = from.objects[index];
        if (length > object.size) raw_.throw_damaged("text is longer than its heap object");
        if (length > left) raw_.throw_damaged("more text than the file can hold");
        left -= length;
        const auto* begin = from.bytes.data() + object.begin;
        strings[i].assign(begin, std::find(begin, begin + length, std::uint8_t{0}));
    }
    return strings;
}

}  // namespace popflow::h5
