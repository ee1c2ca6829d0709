// SPDX-License-Identifier: MIT
#include "h5/chunk_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "h5/file.hpp"

namespace h5 = popflow::h5;

namespace {

/// Opens a dataset of the file that tests/golden/anndata/generate.py writes. Element i is 37 i mod 251,
/// except where the generator says otherwise.
h5::Dataset dataset(const std::string& name) {
    return h5::open_file(std::string(POPFLOW_TEST_DATA) + "/anndata/chunks.h5").open_dataset(name);
}

template <class T>
std::vector<T> expected(std::size_t first, std::size_t count) {
    std::vector<T> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<T>(37 * (first + i) % 251);
    return values;
}

struct Rows {
    std::size_t first, last;
};

bool read_by_chunks(const h5::Dataset& from, h5::Element element, std::vector<h5::RowRange> ranges,
                    void* out) {
    return h5::read_chunks(from, element, ranges, out);
}

/// Returns row ranges that cover whole chunks, parts of chunks and the end of the dataset.
std::vector<Rows> row_ranges(const h5::Dataset& from) {
    const std::size_t n = from.rows();
    return {{0, n}, {1, n - 1}, {n / 10, n / 10 * 9}, {n / 3, n}};
}

template <class T>
void expect_numbers(const std::string& name, bool expected_to_read_by_chunks) {
    const h5::Dataset from = dataset(name);
    const std::size_t width = from.row_size();
    for (const auto& [first, last] : row_ranges(from)) {
        std::vector<T> found((last - first) * width);
        EXPECT_EQ(read_by_chunks(from, h5::element_of<T>(), {{first, last - first}}, found.data()),
                  expected_to_read_by_chunks)
            << name;
        h5::read_rows_in_parallel(from, first, last - first, std::span<T>(found));
        EXPECT_EQ(found, expected<T>(first * width, found.size())) << name << " from " << first;
    }
}

std::vector<float> read_all(const h5::Dataset& from) {
    std::vector<float> values(from.size());
    h5::read_rows_in_parallel(from, 0, from.rows(), std::span<float>(values));
    return values;
}

std::string error_message(const h5::Dataset& from) {
    try {
        read_all(from);
    } catch (const popflow::core::DataError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace

TEST(ChunkReader, ReadsNumbersLikeHdf5) {
    for (const char* name : {"float32_gzip", "float64_lzf", "uint16_gzip", "int32_list", "uint8_shuffled"}) {
        expect_numbers<float>(name, true);
        expect_numbers<double>(name, true);
    }
    for (const char* name : {"uint16_gzip", "int32_list", "uint8_shuffled"})
        expect_numbers<std::int64_t>(name, true);
}

TEST(ChunkReader, LeavesUnsupportedTypesAndLayoutsToHdf5) {
    for (const char* name : {"summed", "big_endian", "cube", "contiguous"})
        expect_numbers<float>(name, false);
    expect_numbers<std::int64_t>("float32_gzip", false);
    expect_numbers<std::uint16_t>("int32_list", false);
}

TEST(ChunkReader, ConcatenatesRowRanges) {
    const std::vector<h5::RowRange> ranges{{0, 1}, {5, 0}, {30, 3}, {31, 40}, {299, 1}};
    for (const char* name : {"float32_gzip", "float64_lzf", "contiguous"}) {
        const h5::Dataset from = dataset(name);
        std::vector<float> found(45 * 7);
        EXPECT_EQ(read_by_chunks(from, h5::Element::float32, ranges, found.data()),
                  name != std::string("contiguous"));
        h5::read_rows_in_parallel(from, ranges, std::span<float>(found));
        std::vector<float> wanted;
        for (const auto& [first, count] : ranges) {
            const std::vector<float> rows = expected<float>(first * 7, count * 7);
            wanted.insert(wanted.end(), rows.begin(), rows.end());
        }
        EXPECT_EQ(found, wanted) << name;
    }
}

TEST(ChunkReader, ThrowsIfTheBufferHasAnotherSize) {
    const h5::Dataset from = dataset("float32_gzip");
    std::vector<float> found(20);
    for (const std::size_t size : {13, 15, 20})
        EXPECT_THROW(h5::read_rows_in_parallel(from, 0, 2, std::span(found).first(size)),
                     popflow::core::ShapeMismatch);
}

TEST(ChunkReader, ThrowsForRowsBeyondTheLast) {
    std::vector<float> found(302 * 7);
    const h5::Dataset from = dataset("float32_gzip");
    for (const auto& [first, count] : {Rows{0, 302}, Rows{200, 101}, Rows{301, 1}}) {
        const std::span<float> out = std::span(found).first(count * 7);
        EXPECT_THROW(h5::read_rows_in_parallel(from, first, count, out), popflow::core::DataError);
    }
}

TEST(ChunkReader, ReadsChunksThatSkippedFilters) {
    expect_numbers<float>("some_filtered", true);
}

TEST(ChunkReader, FillsUnwrittenChunksWithTheFillValue) {
    std::vector<float> all = expected<float>(0, 300 * 7);
    std::fill_n(all.begin(), 96 * 7, 5.0F);
    std::fill(all.begin() + 192 * 7, all.end(), 5.0F);
    EXPECT_EQ(read_all(dataset("part_of_it")), all);
}

TEST(ChunkReader, ThrowsIfAChunkIsTooShort) {
    EXPECT_NE(
        error_message(dataset("short")).find("is damaged: a chunk of short has 12 bytes, but must have 28"),
        std::string::npos)
        << error_message(dataset("short"));
    std::vector<float> row(7);
    EXPECT_THROW(h5::read_rows_in_parallel(dataset("short"), 2, 1, std::span<float>(row)),
                 popflow::core::DataError);
    h5::read_rows_in_parallel(dataset("short"), 3, 1, std::span<float>(row));
    EXPECT_EQ(row, expected<float>(3 * 7, 7));
}

TEST(ChunkReader, ThrowsIfAChunkIsDamaged) {
    EXPECT_NE(error_message(dataset("damaged")).find("damaged: cannot read values"), std::string::npos)
        << error_message(dataset("damaged"));
}
