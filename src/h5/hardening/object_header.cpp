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
constexpr std::uint8_t is_shared = 0x02;  // flag: the message holds the address of the actual message
constexpr std::size_t checksum_bytes = 4;
constexpr const char* the_header = "the header of an object";

using Bytes = std::span<const std::uint8_t>;

// A contiguous range of bytes of the file that holds messages.
struct Block {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
};

/// Checks the messages of an object header, in its first block and in its continuation blocks.
class Header {
  public:
    Header(const RawFile& raw, std::uint64_t address) : raw_(raw), left_(raw.size()) { begin(address); }

    void check() {
        for (std::size_t i = 0; i < blocks_.size(); ++i) check_block(i);
    }

  private:
    std::vector<std::uint8_t> read(std::uint64_t address, std::uint64_t size) {
        // The blocks of an intact header do not overlap, so together they are not longer than the file.
        if (size > left_) raw_.throw_damaged("the header of an object is longer than the file");
        left_ -= size;
        std::vector<std::uint8_t> bytes(size);
        raw_.read(address, bytes, the_header);
        return bytes;
    }

    // Finds the first block. Layout of the prefix, with sizes in bytes:
    //  * version 1: version (1), unused (1), messages (2), references (4), block size (4), unused (4)
    //  * version 2: "OHDR", version (1), flags (1), times (16), limits (4), block size (1, 2, 4 or 8)
    // In version 2 the flags say whether times and limits exist, and how many bytes the block size has.
    void begin(std::uint64_t address) {
        constexpr std::size_t max_prefix = 34;
        const auto start = read(address, std::min<std::uint64_t>(max_prefix, raw_.bytes_from(address)));
        if (start.size() < 16) raw_.throw_damaged("the header of an object lies beyond the end of the file");
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
            raw_.throw_damaged("the header of an object lies beyond the end of the file");
        blocks_.push_back({address + at + width, little_endian(bytes.subspan(at, width))});
    }

    // Checks the messages of a block. Layout of a message prefix, with sizes in bytes:
    //  * version 1: kind (2), size (2), flags (1), unused (3)
    //  * version 2: kind (1), size (2), flags (1), order (2) if the flags of the header say so
    void check_block(std::size_t i) {
        const std::vector<std::uint8_t> block = read(blocks_[i].address, blocks_[i].size);
        const Bytes bytes(block);
        const std::size_t kind_bytes = newer_ ? 1 : 2;
        for (std::size_t at = 0; at + message_head_ <= bytes.size();) {
            const std::uint64_t kind = little_endian(bytes.subspan(at, kind_bytes));
            const std::uint64_t size = little_endian(bytes.subspan(at + kind_bytes, 2));
            const std::uint8_t flags = bytes[at + kind_bytes + 2];
            at += message_head_;
            if (size > bytes.size() - at)
                raw_.throw_damaged("a message is longer than the header of its object");
            const Bytes message = bytes.subspan(at, size);
            if (kind == continuation_message) continue_at(message);
            if (kind == attribute_message && (flags & is_shared) == 0) check_attribute(message);
            at += size;
        }
    }

    // Appends a continuation block. The message holds its address and size. In version 2 the block begins
    // with "OCHK" and ends with a checksum.
    void continue_at(Bytes message) {
        const std::size_t address_bytes = raw_.address_bytes();
        const std::size_t length_bytes = raw_.length_bytes();
        if (message.size() < address_bytes + length_bytes)
            raw_.throw_damaged("a continuation message is too short");
        Block block{little_endian(message.first(address_bytes)),
                    little_endian(message.subspan(address_bytes, length_bytes))};
        if (newer_) {
            const std::size_t around = 4 + checksum_bytes;
            if (block.size < around) raw_.throw_damaged("a continuation message is too short");
            block = {block.address + 4, block.size - around};
        }
        blocks_.push_back(block);
    }

    // Checks an attribute message. Layout, with sizes in bytes: version (1), flags (1), sizes of name,
    // datatype and dataspace (2 each), character set (1, version 3 only), name, datatype, dataspace, values.
    // Version 1 pads name, datatype and dataspace to multiples of 8.
    void check_attribute(Bytes message) const {
        if (message.size() < 8) raw_.throw_damaged("an attribute is longer than its message");
        const unsigned version = message[0];
        if (version < 1 || version > 3) return;  // HDF5 rejects other versions
        const auto padded = [&](std::size_t size) { return version == 1 ? (size + 7) / 8 * 8 : size; };
        const std::size_t name = little_endian(message.subspan(2, 2));
        const std::size_t type = little_endian(message.subspan(4, 2));
        const std::size_t space = little_endian(message.subspan(6, 2));
        const std::size_t head = version == 3 ? 9 : 8;
        if (head + padded(name) + padded(type) + padded(space) > message.size())
            raw_.throw_damaged("an attribute is longer than its message");
        if (name == 0 || message[head + name - 1] != 0)
            raw_.throw_damaged("the name of an attribute has no terminating null");
        const Bytes extent = message.subspan(head + padded(name) + padded(type), space);
        // Shared datatypes and dataspaces are stored elsewhere.
        if (version == 1 || (message[1] & 0x02U) == 0) check_space(extent);
    }

    // Checks a dataspace message. Layout, with sizes in bytes: version (1), number of dimensions (1), flags
    // (1), unused (5 in version 1, 1 in version 2), size of each dimension. If flag 1 is set, the maximum
    // sizes follow.
    void check_space(Bytes space) const {
        if (space.size() < 4) raw_.throw_damaged("the dataspace of an attribute is too short");
        const std::size_t head = space[0] == 1 ? 8 : 4;
        const std::size_t lists = 1 + ((space[2] & 0x01U) != 0 ? 1 : 0);
        if (head + space[1] * lists * raw_.length_bytes() > space.size())
            raw_.throw_damaged("the dataspace of an attribute is too short");
    }

    const RawFile& raw_;
    std::uint64_t left_;  ///< number of bytes that may still be read
    bool newer_ = false;
    std::size_t message_head_ = 8;
    std::vector<Block> blocks_;
};

}  // namespace

void check_attributes(std::int64_t object, const std::string& file, const std::string& path) {
    if (!is_open_read_only(object)) return;
    H5O_info_t info{};
    check(H5Oget_info2(object, &info, H5O_INFO_BASIC), file, path, "cannot open");
    const RawFile raw(object, file, path);
    Header(raw, info.addr).check();
}

}  // namespace popflow::h5
