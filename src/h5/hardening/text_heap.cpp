// SPDX-License-Identifier: MIT
#include "h5/hardening/text_heap.hpp"

#include <hdf5.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"

namespace popflow::h5 {

namespace {

const char* const tag = "popflow.text";
constexpr std::size_t max_shared_text = std::size_t{1} << 20;
constexpr std::size_t most_recent = 16;
constexpr std::size_t reference_head = 4;  // bytes of the length; as many hold the number

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
    : raw_(id, std::move(file), std::move(path)) {
    register_conversion();
    type_ = opaque_type(reference_bytes());
}

// "GCOL", version, 3 bytes, size of all.
std::uint64_t TextHeap::size_at(std::uint64_t address) const {
    const std::size_t head = 8 + raw_.length_bytes();
    std::array<std::uint8_t, 16> start{};
    if (head > start.size()) raw_.damaged("sizes of " + std::to_string(raw_.length_bytes()) + " bytes");
    raw_.read(address, std::span(start).first(head), "text");
    const std::uint64_t size = little_endian(std::span(start).subspan(8, raw_.length_bytes()));
    if (!std::equal(start.begin(), start.begin() + 4, "GCOL") || size < head || size > raw_.size())
        raw_.damaged("text is not where it should be");
    return size;
}

// Then objects: number (2), references (2), 4 bytes, size, content in eights. Number 0 is what is free, up to
// the end.
void TextHeap::parse(Collection& collection) const {
    const std::size_t head = 8 + raw_.length_bytes();
    raw_.read(collection.address, collection.bytes, "text");
    const std::span<const std::uint8_t> bytes(collection.bytes);
    for (std::size_t at = (head + 7) / 8 * 8; at + head <= bytes.size();) {
        const std::uint64_t number = little_endian(bytes.subspan(at, 2));
        const std::uint64_t length = little_endian(bytes.subspan(at + 8, raw_.length_bytes()));
        if (number == 0) break;
        const std::size_t begin = at + (head + 7) / 8 * 8;
        if (begin > bytes.size() || length > bytes.size() - begin)
            raw_.damaged("text is longer than its place");
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
        return recent_.size() >= most_recent || held > raw_.size();
    };
    while (!recent_.empty() && too_much()) recent_.erase(recent_.begin());
    Collection added{.address = address, .bytes = std::vector<std::uint8_t>(size), .objects = {}};
    parse(added);
    return recent_.emplace_back(std::move(added));
}

std::vector<std::string> TextHeap::read(std::span<const std::uint8_t> references) {
    const std::size_t step = reference_bytes();
    std::vector<std::string> strings(references.size() / step);
    std::uint64_t left = raw_.size() + max_shared_text;
    for (std::size_t i = 0; i < strings.size(); ++i) {
        const auto reference = references.subspan(i * step, step);
        const std::uint64_t length = little_endian(reference.first(reference_head));
        const std::uint64_t address = little_endian(reference.subspan(reference_head, raw_.address_bytes()));
        const std::uint64_t number = little_endian(reference.last(reference_head));
        // Nothing was written, or an empty string.
        if (address == 0 || length == 0) continue;
        const Collection& from = collection(address);
        if (number >= from.objects.size() || from.objects[number].begin == 0)
            raw_.damaged("text that its heap does not have");
        const Place place = from.objects[number];
        if (length > place.size) raw_.damaged("text is longer than its place");
        if (length > left) raw_.damaged("more text than the file can hold");
        left -= length;
        const auto* begin = from.bytes.data() + place.begin;
        strings[i].assign(begin, std::find(begin, begin + length, std::uint8_t{0}));
    }
    return strings;
}

}  // namespace popflow::h5
