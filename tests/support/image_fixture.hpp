// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <string>

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

namespace popflow::support {

/// Tests of image files in a temporary folder.
class ImageFolder : public testing::Test {
  protected:
    std::string file(const std::string& name) const { return folder_.file(name); }
    std::string folder() const { return folder_.path().string(); }
    /// Writes a file and returns its path.
    std::string store(const std::string& name, const std::string& bytes) const {
        std::ofstream(file(name), std::ios::binary) << bytes;
        return file(name);
    }
    /// Returns the message of the UserError that a function throws, without the folder.
    std::string error_of(const std::function<void()>& work) const {
        try {
            work();
        } catch (const core::UserError& error) {
            std::string text = error.what();
            const std::string prefix = folder() + "/";
            for (std::size_t at = 0; (at = text.find(prefix)) != std::string::npos;)
                text.erase(at, prefix.size());
            return text;
        }
        return "no error";
    }

  private:
    TemporaryFolder folder_;
};

}  // namespace popflow::support
