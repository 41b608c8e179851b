#include "controller/cli/own_file.h"

#include <fmt/format.h>
#include <fstream>
#include <string>
#include <unistd.h>

namespace relab::controller::cli {

namespace fs = std::filesystem;

namespace {

bool is_own(const fs::path& path, std::string_view begins) {
  std::ifstream file(path, std::ios::binary);
  std::string text(begins.size(), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text == begins;
}

}  // namespace

Result<void> check_replaceable(const fs::path& path, std::string_view begins) {
  std::error_code error;
  const auto folder = fs::absolute(path, error).parent_path();
  if (!fs::is_directory(folder, error))
    return fail(Fault::missing, fmt::format("there is no folder {}", folder.string()));
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fail(Fault::refused,
                fmt::format("nothing can be written into the folder {}", folder.string()),
                "name another one");
  const auto there = fs::symlink_status(path, error).type();
  if (there == fs::file_type::not_found) return {};
  if (there == fs::file_type::regular && is_own(path, begins)) return {};
  return fail(Fault::invalid, fmt::format("{} is there, and relab did not write it", path.string()),
              "give another name, or move it away");
}

}  // namespace relab::controller::cli
