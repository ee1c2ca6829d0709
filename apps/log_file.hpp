// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::apps {

/// Appends lines with a timestamp to a file. Errors are ignored, so that a log does not end a run.
class LogFile {
  public:
    /// @param path  path of the file. If it is empty, nothing is written.
    explicit LogFile(const std::string& path);
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;
    ~LogFile();

    /// Appends a line with one unbuffered write, so that `tail -f` displays it.
    void line(const std::string& text);

  private:
    int fd_ = -1;
};

}  // namespace popflow::apps
