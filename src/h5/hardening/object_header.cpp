// SPDX-License-Identifier: MIT
#include "h5/hardening/object_header.hpp"

#include <hdf5.h>

#include <algorithm>
#include <span>
#include <vector>

#include "h5/handle.hpp"
#include "h5/hardening/raw_file.hpp"
#include "h5/hardening/stored_size.hpp"

namespace popflow::h5 {

namespace {

constexpr std::uint64_t attribute_message = 0x0c;
constexpr std::uint64_t continuation_message = 0x10;
constexpr std::uint8_t is_shared = 0x02;  // the message stands elsewhere, and here is its address
constexpr std::size_t checksum_bytes = 4;
constexpr const char* the_header = "the header of an object";

using Bytes = std::span<const std::uint8_t>;

struct Block {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
};

/// Goes through the messages of a header, in the block where it begins and in those that continue it.
class Header {
  public:
    Header(const RawFile& raw, std::uint64_t address) : raw_(raw), left_(raw.size()) { begin(address); }

    void check() {
        for (std::size_t i = 0; i < blocks_.size(); ++i) check_block(i);
    }

  private:
    std::vector<std::uint8_t> read(std::uint64_t address, std::uint64_t size) {
        // The blocks of a sound header lie beside each other, and so do not hold more than the file.
        if (size > left_) raw_.damaged("the header of an object is longer than the file");
        left_ -= size;
        std::vector<std::uint8_t> bytes(size);
        raw_.read(address, bytes, the_header);
        return bytes;
    }

    // Version 1: version, 1 byte, messages (2), references (4), size of the block (4), 4 bytes.
    // Version 2: "OHDR", version, flags, times (16) and limits (4) by flags, size of the block (1, 2, 4 or
    // 8).
    void begin(std::uint64_t address) {
        constexpr std::size_t longest = 34;
        const auto start = read(address, std::min<std::uint64_t>(longest, raw_.left_from(address)));
        if (start.size() < 16) raw_.damaged("the header of an object lies beyond the end of the file");
        const Bytes bytes(start);
        if (!std::equal(start.begin(), start.begin() + 4, "OHDR")) {
            blocks_.push_back({address + 16, little_endian(bytes.subspan(8, 4))});
            return;
        }
        const unsigned flags = start[5];
        newer_ = true;
        message_head_ = (flags & 0x04U) != 0 ? 6 : 4;
        const std::size_t at = 6 + ((flags & 0x20U) != 0 ? 16 : 0) + ((flags & 0x10U) != 0 ? 4 : 0);
        const std::size_t width = std::size_t{1} << (flags & 0x03U);
        if (at + width > start.size())
            raw_.damaged("the header of an object lies beyond the end of the file");
        blocks_.push_back({address + at + width, little_endian(bytes.subspan(at, width))});
    }

    // Message of version 1: kind (2), size (2), flags, 3 bytes. Version 2: kind, size (2), flags, and its
    // number (2) by flags of the header.
    void check_block(std::size_t i) {
        const std::vector<std::uint8_t> block = read(blocks_[i].address, blocks_[i].size);
        const Bytes bytes(block);
        const std::size_t kind_bytes = newer_ ? 1 : 2;
        for (std::size_t at = 0; at + message_head_ <= bytes.size();) {
            const std::uint64_t kind = little_endian(bytes.subspan(at, kind_bytes));
            const std::uint64_t size = little_endian(bytes.subspan(at + kind_bytes, 2));
            const std::uint8_t flags = bytes[at + kind_bytes + 2];
            at += message_head_;
            if (size > bytes.size() - at) raw_.damaged("a message is longer than the header of its object");
            const Bytes message = bytes.subspan(at, size);
            if (kind == continuation_message) continue_at(message);
            if (kind == attribute_message && (flags & is_shared) == 0) check_attribute(message);
            at += size;
        }
    }

    // Address and size; in version 2 the block begins with "OCHK" and ends with a checksum.
    void continue_at(Bytes message) {
        const std::size_t address_bytes = raw_.address_bytes();
        const std::size_t length_bytes = raw_.length_bytes();
        if (message.size() < address_bytes + length_bytes) raw_.damaged("a message is too short");
        Block block{little_endian(message.first(address_bytes)),
                    little_endian(message.subspan(address_bytes, length_bytes))};
        if (newer_) {
            const std::size_t around = 4 + checksum_bytes;
            if (block.size < around) raw_.damaged("a message is too short");
            block = {block.address + 4, block.size - around};
        }
        blocks_.push_back(block);
    }

    // Version, flags, sizes of name, type and space (2 each), in version 3 the character set; then these
    // three, in version 1 in eights, and the values.
    void check_attribute(Bytes message) const {
        if (message.size() < 8) raw_.damaged("an attribute is longer than its place");
        const unsigned version = message[0];
        if (version < 1 || version > 3) return;  // which HDF5 refuses
        const auto padded = [&](std::size_t size) { return version == 1 ? (size + 7) / 8 * 8 : size; };
        const std::size_t name = little_endian(message.subspan(2, 2));
        const std::size_t type = little_endian(message.subspan(4, 2));
        const std::size_t space = little_endian(message.subspan(6, 2));
        const std::size_t head = version == 3 ? 9 : 8;
        if (head + padded(name) + padded(type) + padded(space) > message.size())
            raw_.damaged("an attribute is longer than its place");
        if (name == 0 || message[head + name - 1] != 0) raw_.damaged("the name of an attribute has no end");
        const Bytes extent = message.subspan(head + padded(name) + padded(type), space);
        // Shared ones stand elsewhere.
        if (version == 1 || (message[1] & 0x02U) == 0) check_space(extent);
    }

    // Version, dimensions, flags (1: largest sizes too, 2: an order), in version 1 5 more bytes, in version 2
    // 1; then the sizes.
    void check_space(Bytes space) const {
        if (space.size() < 4) raw_.damaged("the space of an attribute is too short");
        const std::size_t head = space[0] == 1 ? 8 : 4;
        const std::size_t lists = 1 + ((space[2] & 0x01U) != 0 ? 1 : 0);
        if (head + space[1] * lists * raw_.length_bytes() > space.size())
            raw_.damaged("the space of an attribute is too short");
    }

    const RawFile& raw_;
    std::uint64_t left_;  ///< bytes that may still be read
    bool newer_ = false;
    std::size_t message_head_ = 8;
    std::vector<Block> blocks_;
};

}  // namespace

void check_attributes(std::int64_t object, const std::string& file, const std::string& path) {
    if (!opened_for_reading(object)) return;
    H5O_info_t info{};
    check(H5Oget_info2(object, &info, H5O_INFO_BASIC), file, path, "cannot open");
    const RawFile raw(object, file, path);
    Header(raw, info.addr).check();
}

}  // namespace popflow::h5
