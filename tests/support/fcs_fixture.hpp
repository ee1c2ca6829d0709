// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "import/fcs.hpp"
#include "support/fcs_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace popflow::support {

using data_import::FcsFile;

/// Succeeds if a text contains a part.
inline testing::AssertionResult contains(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no '" << part << "' in: " << text;
}

/// Reads `n` events from number `first` on. Shape [n * parameters].
inline std::vector<float> events(const FcsFile& file, std::uint64_t first, std::size_t n) {
    linalg::Matrix<float> x(n, file.parameters().size());
    file.read(first, x);
    return {x.values().begin(), x.values().end()};
}

inline std::vector<float> events(const FcsFile& file) {
    return events(file, 0, file.events());
}

/// Tests of a file cells.fcs in a temporary folder.
class FcsFileTest : public testing::Test {
  protected:
    void store(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
    FcsFile open(const FcsBytes& fcs) const {
        store(fcs.bytes());
        return FcsFile(path_);
    }
    /// Returns the message of the DataError that `call` throws, without the name of the file.
    template <class Call>
    std::string error_of(const Call& call) const {
        try {
            call();
        } catch (const popflow::core::DataError& error) {
            EXPECT_EQ(error.file, path_);
            return std::string(error.what()).substr(path_.size() + 2);
        }
        return "no error";
    }
    /// Returns the error of opening a file, or of reading its first events.
    std::string error(const FcsBytes& fcs) const {
        return error_of([&] { events(open(fcs)); });
    }
    std::string error_of_bytes(const std::string& bytes) const {
        store(bytes);
        return error_of([&] { FcsFile{path_}; });
    }
    const std::string& path() const { return path_; }

  private:
    TemporaryFolder folder_;
    std::string path_ = folder_.file("cells.fcs");
};

}  // namespace popflow::support
