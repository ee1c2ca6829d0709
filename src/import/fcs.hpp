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
    std::string stain;  ///< $PnS, what was measured in it; may be empty
    std::size_t bytes = 4;
    std::uint64_t mask = ~std::uint64_t{0};  ///< of integers, from $PnR
    double range = 0;                        ///< $PnR
    double decades = 0;                      ///< f1 of $PnE; 0: linear
    double offset = 1;                       ///< f2 of $PnE, the value of a stored 0
};

/// Square matrix by which fluorescence spills from one channel into another: measured = true S.
struct Spillover {
    std::vector<std::string> channels;  ///< as in $PnN
    std::vector<double> values;         ///< [n n], row i is of channel i
};

/// A Flow Cytometry Standard file: list-mode events of one data set.
///
/// Stored values v of integers become v & mask, and 10^(f1 v / range) f2 where $PnE is logarithmic; floats
/// are taken as they are. Gain ($PnG) and compensation are left alone. Offsets and sizes that the file gives
/// are checked against its length before they are used.
///
/// Source: Spidlen et al., "Data File Standard for Flow Cytometry, version FCS 3.1", Cytometry A 2010; 2.0
/// and 3.0 differ in what is optional.
class FcsFile {
  public:
    /// Reads header and keywords. @throws core::DataError
    explicit FcsFile(std::string path);

    const std::string& path() const { return path_; }
    const std::vector<FcsParameter>& parameters() const { return parameters_; }
    std::uint64_t events() const { return events_; }
    std::size_t event_bytes() const { return event_bytes_; }
    /// Value of a keyword, in upper case; empty if there is none.
    std::string keyword(const std::string& name) const;
    /// $SPILLOVER, or what older programs call SPILL. @throws core::DataError if there is none or it is wrong
    Spillover spillover() const;

    /// Events [first, first + x.rows()) of all parameters. Shapes: x [n, parameters], overwritten.
    /// @throws core::DataError, also for a value that is not finite
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

/// Whether a file begins as an FCS file does. @throws core::DataError if it cannot be read
bool is_fcs(const std::string& path);

/// Undoes the spill between channels, in place. @throws core::DataError for a channel that x has not
class Compensation {
  public:
    explicit Compensation(const FcsFile& file);
    /// Shapes: x [n, parameters of the file].
    void apply(linalg::Matrix<float>& x) const;

  private:
    std::vector<std::size_t> columns_;
    std::vector<double> inverse_;  ///< of S
};

}  // namespace popflow::data_import
