// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace popflow::apps {

/// A file that lines are added to, each with the time of day in front. What cannot be written is let go: a
/// log is no reason to end a run.
class LogFile {
  public:
    /// @param path  empty: nothing is written
    explicit LogFile(const std::string& path);
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;
    ~LogFile();

    /// At once and in one piece, so that `tail -f` shows it.
    void line(const std::string& text);

  private:
    int fd_ = -1;
};

}  // namespace popflow::apps
