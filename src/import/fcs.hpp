// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "import/fcs_text.hpp"
#include "linalg/matrix.hpp"

namespace popflow::data_import {

/// Type of the stored values of a parameter: $DATATYPE, or $PnDATATYPE of FCS 3.2.
enum class FcsType { integer, float32, float64, ascii };

/// One parameter (measured channel) of an FCS file.
struct FcsParameter {
    std::string name{};   ///< $PnN, the channel
    std::string stain{};  ///< $PnS, the measured marker; may be empty
    FcsType type = FcsType::float32;
    std::uint64_t bits = 32;                 ///< stored bits of a value; 0 for delimited ASCII data
    std::uint64_t bit_offset = 0;            ///< bits of an event before those of this parameter
    std::array<unsigned char, 8> shifts{};   ///< position in the value of each stored byte, in bits
    std::uint64_t mask = ~std::uint64_t{0};  ///< bit mask of integer values, from $PnR
    double range = 0;                        ///< $PnR
    double decades = 0;                      ///< f1 of $PnE; 0: linear
    double offset = 1;                       ///< f2 of $PnE, the value of a stored 0
    std::string invalid_keyword{};           ///< keyword that is missing or invalid; empty: none
    std::string problem{};                   ///< problem of invalid_keyword, for the message
};

/// Reader of a Flow Cytometry Standard file: list-mode events of one data set.
///
/// A stored integer v becomes v & mask. If $PnE is logarithmic, the result v becomes 10^(f1 v / range) f2.
/// Floats are unchanged. Applies neither gain ($PnG) nor compensation. Checks all offsets and sizes in the
/// file against the length of the file before use.
///
/// Where programs deviate from the standard, the reader takes the only interpretation under which the
/// required keywords are valid and DATA holds the events. It adds a note if it had to choose.
///
/// Source: Spidlen et al., "Data File Standard for Flow Cytometry, version FCS 3.1", Cytometry A 2010, and
/// the versions 2.0, 3.0 and 3.2 of the standard.
class FcsFile {
  public:
    /// Reads header and keywords of a data set, counted from 1.
    /// @throws core::DataError for an invalid file, or if the file has fewer data sets
    explicit FcsFile(std::string path, std::size_t data_set = 1);

    const std::string& path() const { return path_; }
    const std::vector<FcsParameter>& parameters() const { return parameters_; }
    /// Number of events.
    std::uint64_t events() const { return events_; }
    /// Number of bytes per event, rounded up.
    std::size_t event_bytes() const;
    /// Number of data sets in the file.
    std::size_t data_sets() const { return data_sets_; }
    /// Returns a line for each choice between two interpretations, and for each part that was ignored.
    const std::vector<std::string>& notes() const { return notes_; }
    /// Returns the value of a keyword, or an empty text if the file lacks it.
    /// @param name  keyword in upper case
    std::string keyword(const std::string& name) const;
    /// Checks the scale and the range of some parameters.
    /// @throws core::DataError for one that is invalid
    void check(std::span<const std::size_t> columns) const;

    /// Reads events [first, first + x.rows()) of all parameters.
    ///
    /// Shapes:  x [n, parameters], overwritten.
    /// @throws core::DataError if the file cannot be read, and for a value that is not finite
    void read(std::uint64_t first, linalg::Matrix<float>& x) const;
    /// Reads and checks only some columns, and leaves the others unchanged.
    /// @param advice  what to do about a value that is not finite, for the message
    void read(std::uint64_t first, linalg::Matrix<float>& x, std::span<const std::size_t> columns,
              std::string_view advice) const;

  private:
    /// Range of bytes that a header or two keywords name, relative to the begin of the data set.
    struct ByteRange {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;  ///< last byte
    };
    /// Order and widths in which the values of an event are stored.
    struct Layout {
        std::vector<std::uint64_t> bits{};  ///< stored bits of each parameter
        std::uint64_t event_bits = 0;
        bool is_padded = false;  ///< whether values take more bits than $PnB says
    };
    /// Candidate for the place of DATA.
    struct DataCandidate {
        std::string place{};  ///< where the range is written
        std::optional<ByteRange> range{};
    };
    /// Suitability of a DATA range for a layout.
    struct Fit {
        int quality = 0;  ///< 0: impossible, 1: has bytes to spare, 2: holds the events exactly
        std::string problem{};
    };

    void read_data_set(std::ifstream& in);
    void read_header(std::ifstream& in);
    void read_text(std::ifstream& in);
    void read_layout();
    void read_byte_order(bool is_required);
    void read_parameter(std::size_t n, FcsType file_type);
    void read_scale(const std::string& prefix, FcsParameter& parameter) const;
    void note_unused_scales();
    void place_data();
    void apply(const Layout& layout, const DataCandidate& data);
    std::vector<Layout> layouts() const;
    Fit fit(const DataCandidate& data, const Layout& layout) const;
    std::optional<std::uint64_t> next_data_set(std::ifstream& in);
    std::string read_bytes(std::ifstream& in, std::uint64_t begin, std::uint64_t end) const;
    std::string add_supplement(std::ifstream& in, FcsKeywords& keywords, char delimiter) const;
    void read_delimited(std::uint64_t first, linalg::Matrix<float>& x, std::span<const std::size_t> columns,
                        std::string_view advice) const;
    void count_delimited();
    float checked(double value, std::size_t column, std::uint64_t event, std::string_view advice) const;
    double value(const FcsParameter& parameter, const unsigned char* bytes, std::uint64_t bit,
                 std::uint64_t event) const;
    double number(const FcsParameter& parameter, std::string_view text, std::uint64_t event) const;
    double scaled(const FcsParameter& parameter, double channel) const;
    std::string require(const std::string& name) const;
    std::uint64_t count(const std::string& name) const;
    std::uint64_t available() const { return file_bytes_ - base_; }
    [[noreturn]] void fail(const std::string& field, const std::string& problem) const;

    std::string path_;
    std::uint64_t file_bytes_ = 0;
    std::uint64_t base_ = 0;  ///< first byte of the data set
    std::size_t data_sets_ = 1;
    std::string version_{};
    ByteRange text_{};
    std::optional<ByteRange> header_data_{};
    FcsKeywords keywords_{};
    std::string supplement_problem_{};
    std::vector<std::string> notes_{};
    std::vector<FcsParameter> parameters_{};
    std::vector<unsigned> byte_order_{};  ///< $BYTEORD, significance of each byte from 1 on
    bool big_endian_ = false;
    bool is_bitwise_ = false;       ///< whether values begin or end within a byte
    bool is_delimited_ = false;     ///< whether DATA is a list of numbers in ASCII
    std::uint64_t data_begin_ = 0;  ///< first byte of DATA in the file
    std::uint64_t data_bytes_ = 0;
    std::uint64_t events_ = 0;
    std::uint64_t event_bits_ = 0;
};

/// Returns whether a file starts with the signature of FCS. @throws core::DataError if it cannot be read
bool is_fcs(const std::string& path);

}  // namespace popflow::data_import
