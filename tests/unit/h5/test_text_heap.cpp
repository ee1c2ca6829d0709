// SPDX-License-Identifier: MIT
#include "h5/hardening/text_heap.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "h5/file.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace h5 = popflow::h5;
using popflow::support::replace_words;
using popflow::support::TemporaryFolder;
using Strings = std::vector<std::string>;
using Words = std::vector<std::uint32_t>;

namespace {

constexpr std::uint32_t heap_signature = 0x4c4f4347;  // "GCOL"

const std::vector<std::string> names{"a", "", "a longer one", "\xC3\xA9"};

// Opens a file of tests/golden/text.
h5::Group golden(const std::string& name) {
    return h5::open_file(std::string(POPFLOW_TEST_DATA) + "/text/" + name + ".h5");
}

// A file with a dataset and an attribute of strings.
struct TextFile {
    TemporaryFolder folder;
    std::string path = folder.file("a.h5");

    explicit TextFile(const std::vector<std::string>& text = {"a"}) {
        h5::AtomicFile file(path);
        h5::Group root = file.root();
        root.write_strings("names", text);
        root.write_attribute("labels", text);
        file.commit();
    }
    std::uint32_t heap() const {
        return static_cast<std::uint32_t>(popflow::support::offset_of_words(path, {heap_signature}));
    }
    std::vector<std::string> read() const { return h5::open_file(path).open_dataset("names").read_strings(); }
    std::string error_message() const {
        try {
            (void)read();
        } catch (const popflow::core::DataError& error) {
            return std::string(error.what()).substr(path.size() + 2);
        }
        return "";
    }
};

}  // namespace

TEST(TextHeap, ReadsTextOfDatasetsAndAttributes) {
    const TextFile file(names);
    EXPECT_EQ(file.read(), names);
    EXPECT_EQ(h5::open_file(file.path).strings_attribute("labels"), names);
}

TEST(TextHeap, ReadsOtherVariantsOfTheFormat) {
    for (const char* name : {"plain", "userblock", "small_sizes", "newest"}) {
        const h5::Group root = golden(name);
        EXPECT_EQ(root.open_dataset("names").read_strings(), names) << name;
        EXPECT_EQ(root.open_dataset("names").read_strings(2, 1), Strings{"a longer one"}) << name;
        EXPECT_EQ(root.strings_attribute("labels"), names) << name;
        const h5::Dataset compound = root.open_dataset("compound");
        EXPECT_EQ(compound.member("name").read_strings(), names) << name;
        EXPECT_EQ(compound.member("note").read_strings(3, 1), Strings{"note \xC3\xA9"}) << name;
        EXPECT_EQ(compound.member("x").read<double>(), (std::vector<double>{0, 0.5, 1, 1.5})) << name;
    }
}

TEST(TextHeap, UnwrittenStringsAreEmptyOrTheFillValue) {
    const h5::Group root = golden("unwritten");
    for (const char* name : {"nothing", "nothing_in_chunks", "early"})
        EXPECT_EQ(root.open_dataset(name).read_strings(), Strings(3)) << name;
    for (const char* name : {"fill", "fill_in_chunks"})
        EXPECT_EQ(root.open_dataset(name).read_strings(), Strings(3, "none")) << name;
    EXPECT_EQ(root.open_dataset("part").read_strings(), (Strings{"x", "", "", ""}));
    EXPECT_EQ(root.open_dataset("grown").read_strings(), (Strings{"p", "q", "", "", ""}));
    EXPECT_EQ(root.open_dataset("compound").member("name").read_strings(), Strings(3));
    EXPECT_EQ(root.strings_attribute("labels"), Strings(2));
    try {  // HDF5 itself cannot read it
        root.open_dataset("part_and_fill").read_strings();
        FAIL() << "no error";
    } catch (const popflow::core::DataError& error) {
        EXPECT_NE(
            std::string(error.what()).find("part_and_fill: cannot read strings, some of which were never"),
            std::string::npos)
            << error.what();
    }
}

TEST(TextHeap, ReadsManyCollectionsInAnyOrder) {
    const TemporaryFolder folder;
    const std::string path = folder.file("a.h5");
    std::vector<std::string> many(20000);
    for (std::size_t i = 0; i < many.size(); ++i)
        many[i] = std::string(i * 7919 % 61, 'x') + std::to_string(i);
    {
        h5::AtomicFile file(path);
        file.root().write_strings("names", many);
        file.commit();
    }
    const h5::Group root = h5::open_file(path);
    EXPECT_EQ(root.open_dataset("names").read_strings(), many);
    const std::vector<std::string> last = root.open_dataset("names").read_strings(19990, 10);
    EXPECT_EQ(last, std::vector<std::string>(many.end() - 10, many.end()));
}

TEST(TextHeap, ReadsAFileThatIsStillOpenForWriting) {
    const TemporaryFolder folder;
    h5::AtomicFile file(folder.file("a.h5"));
    h5::Group root = file.root();
    root.write_strings("names", names);
    EXPECT_EQ(root.open_dataset("names").read_strings(), names);
}

// The file stores the string as its length (1), the address of its heap (8 bytes) and its index there (1).
TEST(TextHeap, RefusesTextThatIsNotInItsHeap) {
    const TextFile file;
    replace_words(file.path, {1, file.heap(), 0, 1}, {1, file.heap(), 0, 0x7fffffff});
    EXPECT_EQ(file.error_message(), "names: is damaged: a string refers to text that its heap does not have");
}

TEST(TextHeap, RefusesAMissingHeap) {
    const TextFile beyond;
    replace_words(beyond.path, {1, beyond.heap(), 0, 1}, {1, beyond.heap(), 1, 1});
    EXPECT_EQ(beyond.error_message(), "names: is damaged: text lies beyond the end of the file");
    const TextFile other;
    replace_words(other.path, {1, other.heap(), 0, 1}, {1, other.heap() + 8, 0, 1});
    EXPECT_EQ(other.error_message(), "names: is damaged: found no text at the address of a string");
}

TEST(TextHeap, RefusesTextThatClaimsFourGigabytes) {
    const TextFile file;
    replace_words(file.path, {1, file.heap(), 0, 1}, {0xfffffff0, file.heap(), 0, 1});
    EXPECT_EQ(file.error_message(), "names: is damaged: text is longer than its heap object");
}
