// SPDX-License-Identifier: MIT
#include "eval/partial_results.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"

namespace popflow::eval {

namespace {

namespace fs = std::filesystem;

// Header of a record: format, length and checksum.
struct RecordHead {
    std::uint64_t magic = 0x33747261706670;  // "pfpart3"
    std::uint64_t bytes = 0;
    std::array<char, 16> checksum{};
};

std::array<char, 16> checksum_of(const std::string& text) {
    core::Checksum checksum;
    checksum.add(text);
    std::array<char, 16> digits{};
    std::ranges::copy_n(checksum.text().begin(), 16, digits.begin());
    return digits;
}

std::string stored(const std::string& text) {
    const RecordHead head{.bytes = text.size(), .checksum = checksum_of(text)};
    return std::string(reinterpret_cast<const char*>(&head), sizeof head) + text;
}

// The text of a record starts with its item.
std::string with_item(const TaskRecord& record) {
    return std::string(reinterpret_cast<const char*>(&record.item), sizeof record.item) + record.text;
}

std::optional<TaskRecord> read_record(const std::string& text) {
    TaskRecord record;
    if (text.size() < sizeof record.item) return std::nullopt;
    std::memcpy(&record.item, text.data(), sizeof record.item);
    record.text = text.substr(sizeof record.item);
    return record;
}

// Returns the records of a file up to the first incomplete one.
std::vector<std::string> read_records(const fs::path& file) {
    const std::string all = core::file_contents(file.string()).value_or("");
    std::vector<std::string> records;
    std::size_t at = 0;
    while (all.size() - at >= sizeof(RecordHead)) {
        RecordHead head;
        std::memcpy(&head, all.data() + at, sizeof head);
        at += sizeof head;
        if (head.magic != RecordHead{}.magic || head.bytes > all.size() - at) break;
        std::string text = all.substr(at, head.bytes);
        if (checksum_of(text) != head.checksum) break;
        at += head.bytes;
        records.push_back(std::move(text));
    }
    return records;
}

std::string identity_text(const EvaluationIdentity& identity) {
    std::string text;
    for (const auto& [key, value] : identity) text += key + '\0' + value + '\0';
    return text;
}

EvaluationIdentity read_identity(const std::string& text) {
    EvaluationIdentity identity;
    std::size_t at = 0;
    const auto next = [&] {
        const std::size_t end = std::min(text.find('\0', at), text.size());
        std::string part = text.substr(at, end - at);
        at = end + 1;
        return part;
    };
    while (at < text.size()) {
        std::string key = next();
        identity[std::move(key)] = next();
    }
    return identity;
}

// Returns the first difference, for example `tolerance: found '1e-3', was '1e-4'`.
std::optional<std::string> difference(const EvaluationIdentity& now, const EvaluationIdentity& before) {
    EvaluationIdentity keys = now;
    keys.insert(before.begin(), before.end());
    const auto value = [](const EvaluationIdentity& identity, const std::string& key) {
        const auto at = identity.find(key);
        return at == identity.end() ? std::string() : at->second;
    };
    for (const auto& [key, unused] : keys) {
        if (value(now, key) != value(before, key))
            return key + ": found '" + value(now, key) + "', was '" + value(before, key) + "'";
    }
    return std::nullopt;
}

// Returns N of a file name N-RANK, 0 for other names.
std::int64_t start_number(const fs::path& file) {
    return std::strtoll(file.filename().c_str(), nullptr, 10);
}

}  // namespace

EvaluationIdentity option_identity(const std::string& config_text, const core::OptionEffects& effects) {
    EvaluationIdentity identity;
    for (auto& [key, value] : core::key_values(config_text)) {
        const auto effect = effects.find(key);
        if (effect == effects.end() || effect->second.affects != core::Affects::nothing)
            identity[key] = value;
    }
    return identity;
}

PartialResults::PartialResults(const std::string& results, EvaluationIdentity identity, Leftover leftover,
                               const mpi::Communicator& comm)
    : folder_(results + ".partial"), identity_(std::move(identity)) {
    std::array<std::int64_t, 2> start_and_kept{0, 0};
    if (comm.is_root()) {
        read_folder(leftover);
        for (const auto& entry : fs::directory_iterator(folder_))
            start_and_kept[0] = std::max(start_and_kept[0], start_number(entry.path()));
        start_and_kept[1] = static_cast<std::int64_t>(kept_.size());
    }
    comm.sum(start_and_kept);
    std::vector<std::int64_t> items(static_cast<std::size_t>(start_and_kept[1]), 0);
    if (comm.is_root())
        std::ranges::transform(kept_, items.begin(), [](const TaskRecord& record) { return record.item; });
    comm.sum(items);
    kept_items_.assign(items.begin(), items.end());
    file_ = fmt::format("{}/{}-{}", folder_, start_and_kept[0] + 1, comm.rank());
}

PartialResults::~PartialResults() {
    if (fd_ >= 0) ::close(fd_);
}

void PartialResults::read_folder(Leftover leftover) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_, error)) files.push_back(entry.path());
    std::ranges::sort(files);
    std::map<std::size_t, TaskRecord> by_item;
    bool is_kept = leftover != Leftover::discard;
    for (const fs::path& file : files) {
        const std::vector<std::string> records = read_records(file);
        if (!is_kept || records.empty()) continue;
        if (const auto changed = difference(identity_, read_identity(records[0]))) {
            if (leftover == Leftover::keep)
                throw core::ConfigError("resume", "'" + folder_ + "' belongs to a different evaluation: " +
                                                      *changed + ". Omit --resume to start again");
            is_kept = false;
            continue;
        }
        for (std::size_t i = 1; i < records.size(); ++i) {
            if (std::optional<TaskRecord> record = read_record(records[i]))
                by_item[record->item] = std::move(*record);
        }
    }
    if (is_kept) {
        for (auto& [item, record] : by_item) kept_.push_back(std::move(record));
    } else {
        fs::remove_all(folder_, error);
    }
    fs::create_directories(folder_, error);
    if (error) core::fail_to_create(folder_, error.value());
}

void PartialResults::add(const TaskRecord& record) {
    if (!record.is_complete) return;
    if (fd_ < 0) {
        fd_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd_ < 0) core::fail_to_create(file_, errno);
        append(stored(identity_text(identity_)) + stored(with_item(record)));
    } else {
        append(stored(with_item(record)));
    }
}

void PartialResults::append(const std::string& bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t written = ::write(fd_, bytes.data() + done, bytes.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail();
        done += static_cast<std::size_t>(written);
    }
    if (::fdatasync(fd_) != 0 && errno != EINVAL) fail();
}

void PartialResults::remove() const {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void PartialResults::fail() const {
    throw core::WriteError(file_, "cannot write: " + std::generic_category().message(errno));
}

}  // namespace popflow::eval
