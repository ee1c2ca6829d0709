// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::data_import {

/// One parameter (measured channel) of an FCS file.
struct FcsParameter {
    std::string name;   ///< $PnN, the channel
    std::string stain;  ///< $PnS, the measured marker; may be empty
    std::size_t bytes = 4;
    std::uint64_t mask = ~std::uint64_t{0};  ///< bit mask of integer values, from $PnR
    double range = 0;                        ///< $PnR
    double decades = 0;                      ///< f1 of $PnE; 0: linear
    double offset = 1;                       ///< f2 of $PnE, the value of a stored 0
};

/// Spillover matrix S of the fluorescence between channels: measured = true S.
struct Spillover {
    std::vector<std::string> channels;  ///< channel names as in $PnN
    std::vector<double> values;         ///< [n n], row-major; row i belongs to channel i
};

/// Reader of a Flow Cytometry Standard file: list-mode events of one data set.
///
/// A stored integer v becomes v & mask. If $PnE is logarithmic, the result v becomes 10^(f1 v / range) f2.
/// Floats are unchanged. Applies neither gain ($PnG) nor compensation. Checks all offsets and sizes in the
/// file against the length of the file before use.
///
/// Source: Spidlen et al., "Data File Standard for Flow Cytometry, version FCS 3.1", Cytometry A 2010.
/// Versions 2.0 and 3.0 differ in which keywords are optional.
class FcsFile {
  public:
    /// Reads header and keywords. @throws core::DataError for an invalid file
    explicit FcsFile(std::string path);

    const std::string& path() const { return path_; }
    const std::vector<FcsParameter>& parameters() const { return parameters_; }
    /// Number of events.
    std::uint64_t events() const { return events_; }
    /// Number of bytes per event.
    std::size_t event_bytes() const { return event_bytes_; }
    /// Returns the value of a keyword, or an empty text if the file lacks it.
    /// @param name  keyword in upper case
    std::string keyword(const std::string& name) const;
    /// Parses $SPILLOVER, or the keyword SPILL of older programs.
    /// @throws core::DataError if it is missing or invalid
    Spillover spillover() const;

    /// Reads events [first, first + x.rows()) of all parameters.
    ///
    /// Shapes:  x [n, parameters], overwritten.
    /// @throws core::DataError if the file cannot be read, and for a value that is not finite
    void read(std::uint64_t first, linalg::Matrix<float>& x) const;

  private:
    enum class Type { integer, float32, float64 };

    void read_header(std::ifstream& in);
    void read_text(std::ifstream& in, std::uint64_t begin, std::uint64_t end);
    void read_layout();
    void read_parameter(std::size_t n);
    void place_data(std::uint64_t header_begin, std::uint64_t header_end);
    std::string require(const std::string& name) const;
    std::uint64_t count(const std::string& name) const;
    std::uint64_t count_or_zero(const std::string& name) const;
    double value(const FcsParameter& parameter, const unsigned char* bytes) const;
    [[noreturn]] void fail(const std::string& field, const std::string& problem) const;

    std::string path_;
    std::uint64_t file_bytes_ = 0;
    std::map<std::string, std::string> keywords_;
    std::vector<FcsParameter> parameters_;
    Type type_ = Type::float32;
    bool big_endian_ = false;
    std::uint64_t data_begin_ = 0;
    std::uint64_t events_ = 0;
    std::size_t event_bytes_ = 0;
};

/// Returns whether a file starts with the signature of FCS. @throws core::DataError if it cannot be read
bool is_fcs(const std::string& path);

/// Compensation: multiplies the events by the inverse of the spillover matrix S.
class Compensation {
  public:
    /// Inverts the spillover matrix of a file.
    /// @throws core::DataError if it is missing or singular, or names a channel that the file lacks
    explicit Compensation(const FcsFile& file);
    /// Compensates events in place.
    ///
    /// Shapes:  x [n, parameters of the file].
    void apply(linalg::Matrix<float>& x) const;

  private:
    std::vector<std::size_t> columns_;  ///< columns of x for the channels of S
    std::vector<double> inverse_;       ///< inverse of S, row-major
};

}  // namespace popflow::data_import
