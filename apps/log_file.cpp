// SPDX-License-Identifier: MIT
#include "log_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <ctime>

namespace popflow::apps {

LogFile::LogFile(const std::string& path) {
    if (!path.empty()) fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

LogFile::~LogFile() {
    if (fd_ >= 0) ::close(fd_);
}

void LogFile::line(const std::string& text) {
    if (fd_ < 0) return;
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    std::array<char, 32> stamp{};
    ::localtime_r(&now, &local);
    std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%S%z", &local);
    const std::string out = std::string(stamp.data()) + " " + text + "\n";
    (void)!::write(fd_, out.data(), out.size());
}

}  // namespace popflow::apps
