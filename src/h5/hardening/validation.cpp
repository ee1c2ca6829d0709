// SPDX-License-Identifier: MIT
#include "h5/hardening/validation.hpp"

#include <hdf5.h>

#include <algorithm>
#include <new>
#include <set>

#include "core/error.hpp"
#include "h5/file.hpp"
#include "h5/group.hpp"
#include "h5/hardening/chunk_sizes.hpp"
#include "h5/hardening/evenly_spread.hpp"
#include "h5/hardening/stored_size.hpp"

namespace popflow::h5 {

namespace {

constexpr std::size_t read_whole_bytes = std::size_t{1} << 20;
constexpr std::size_t block_strings = 4096;  // strings of a block
constexpr const char* no_list = "the members or attributes of an object cannot be listed";
// Maximum number of blocks that are read. Larger arrays of strings, such as the names of millions of cells,
// are sampled.
constexpr std::size_t max_string_blocks = 64;

extern "C" herr_t keep_attribute_name(hid_t, const char* name, const H5A_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

/// Thrown if the file must not be read. Unlike core::Error, attempt() does not catch it.
struct Damage {
    std::string problem;
};

/// Traverses the objects of a file. Visits each object once, even if several links lead to it.
class FileWalk {
  public:
    FileWalk(const std::vector<std::string>& skipped, const std::function<void(std::size_t)>& raise_limit)
        : skipped_(skipped), raise_limit_(raise_limit) {}

    void run(Group root) {
        (void)is_new(root.id());
        todo_.push_back(std::move(root));
        while (!todo_.empty()) {
            const Group group = std::move(todo_.back());
            todo_.pop_back();
            attempt([&] { enter(group); });
        }
    }

  private:
    // Runs `work` and ignores core::Error: the reader that needs an unreadable object reports it. Does not
    // ignore Damage. If a list of members or attributes is broken, the walk has to stop, because a reader
    // could still open by name an object that the list does not contain.
    template <class Work>
    static void attempt(Work work) {
        try {
            work();
        } catch (const core::Error&) {
            clear_errors();
        }
    }

    // Whether an object has not been visited yet. Marks it as visited.
    bool is_new(std::int64_t id) {
        H5O_info_t info{};
        if (H5Oget_info2(id, &info, H5O_INFO_BASIC) < 0) return false;
        return seen_.insert(info.addr).second;
    }

    void enter(const Group& group) {
        attempt([&] { read_attributes(group); });
        std::vector<std::string> names;
        try {
            names = group.names();
        } catch (const core::Error&) {
            throw Damage{no_list};
        }
        for (const std::string& name : names) {
            if (group.path() == "/" && std::ranges::count(skipped_, name) > 0) continue;
            attempt([&] { visit(group, name); });
        }
    }

    void visit(const Group& group, const std::string& name) {
        if (group.contains_group(name)) {
            Group child = group.open_group(name);
            if (is_new(child.id())) todo_.push_back(std::move(child));
        } else {
            const Dataset dataset = group.open_dataset(name);
            if (is_new(dataset.id())) read(dataset);
        }
    }

    void read(const Dataset& dataset) {
        // Up to four copies of a chunk: as stored, after each filter, and in the cache.
        const std::size_t chunk = bounded_product({dataset.chunk_bytes()}, 4);
        if (chunk > (std::size_t{1} << 20)) raise_limit_(chunk);
        const std::string problem = find_short_chunk(dataset);
        if (!problem.empty()) throw Damage{problem};
        attempt([&] { read_attributes(dataset); });
        attempt([&] {
            const Dataset categories = dataset.referenced_dataset("categories");
            if (is_new(categories.id())) read(categories);
        });
        const std::vector<std::string> members = dataset.members();
        for (const std::string& name : members) {
            attempt([&] { read_values(dataset.member(name)); });
        }
        if (members.empty()) read_values(dataset);
        (void)H5Dget_storage_size(dataset.id());  // reads the whole index of chunks
    }

    static void read_values(const Dataset& dataset) {
        if (dataset.type().kind == Kind::string) {
            read_string_blocks(dataset);
            return;
        }
        const std::size_t row_bytes = std::max<std::size_t>(1, dataset.row_size() * sizeof(double));
        const std::size_t max_rows = std::max<std::size_t>(1, read_whole_bytes / row_bytes);
        const std::size_t count = std::min(max_rows, dataset.rows());
        std::vector<double> values(count * dataset.row_size());
        dataset.read_rows(0, count, std::span<double>(values));
        if (count < dataset.rows())
            dataset.read_rows(dataset.rows() - count, count, std::span<double>(values));
    }

    // Reads all blocks of strings, or a sample of evenly spaced blocks.
    static void read_string_blocks(const Dataset& dataset) {
        const std::size_t rows = dataset.rows();
        const std::size_t blocks = (rows + block_strings - 1) / block_strings;
        for (const std::size_t block : evenly_spread(blocks, max_string_blocks)) {
            const std::size_t first = block * block_strings;
            (void)dataset.read_strings(first, std::min(block_strings, rows - first));
        }
    }

    static void read_attributes(const Object& object) {
        std::vector<std::string> names;
        hsize_t at = 0;
        if (H5Aiterate2(object.id(), H5_INDEX_NAME, H5_ITER_NATIVE, &at, keep_attribute_name, &names) < 0)
            throw Damage{no_list};
        for (const std::string& name : names) {
            attempt([&] { (void)object.string_attribute_or(name, ""); });
            attempt([&] { (void)object.strings_attribute(name); });
            attempt([&] { (void)object.ints_attribute(name); });
            attempt([&] { (void)object.double_attribute(name); });
            attempt([&] { (void)object.is_reference_attribute(name); });
        }
    }

    const std::vector<std::string>& skipped_;
    const std::function<void(std::size_t)>& raise_limit_;
    std::vector<Group> todo_;
    std::set<haddr_t> seen_;
};

}  // namespace

std::string validate_file(const std::string& path, const std::vector<std::string>& skipped,
                          const std::function<void(std::size_t)>& raise_limit) {
    std::string problem;
    try {
        FileWalk(skipped, raise_limit).run(open_unguarded(path));
    } catch (const core::Error&) {
        clear_errors();
    } catch (const Damage& found) {
        problem = found.problem;
    }
    if (has_run_out_of_memory()) throw std::bad_alloc();
    return problem;
}

}  // namespace popflow::h5
