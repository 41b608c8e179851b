// Options that a task kind does not give are not simulated: they are an error.

#include "agent/host/sim/debian/file_tools.h"

#include <algorithm>
#include <fmt/format.h>
#include <sodium.h>

#include "common/base/number.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"

namespace relab::agent::sim {

namespace {

constexpr std::size_t size_max = std::size_t{1} << 32U;

std::string name_of(FileType type) {
  switch (type) {
    case FileType::regular:
      return "regular file";
    case FileType::directory:
      return "directory";
    case FileType::symlink:
      return "symbolic link";
    case FileType::block:
      return "block special file";
    case FileType::character:
      return "character special file";
    case FileType::other:
      return "socket";
  }
  return {};
}

/// Of stat's own format; nothing if there is a sign in it that is not simulated.
std::optional<std::string> by_format(std::string_view format, const std::string& path,
                                     const FileStatus& status) {
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    switch (format[++i]) {
      case 'n':
        out += path;
        break;
      case 's':
        out += std::to_string(status.size);
        break;
      case 'a':
        out += fmt::format("{:o}", status.mode);
        break;
      case 'u':
        out += std::to_string(status.uid);
        break;
      case 'g':
        out += std::to_string(status.gid);
        break;
      case 'F':
        out += status.type == FileType::regular && status.size == 0 ? "regular empty file"
                                                                    : name_of(status.type);
        break;
      case 'Y':
        out += std::to_string(
            std::chrono::floor<std::chrono::seconds>(status.modified.time_since_epoch()).count());
        break;
      default:
        return {};
    }
  }
  return out;
}

std::string sha512(std::string_view text) {
  std::array<unsigned char, crypto_hash_sha512_BYTES> digest{};
  const auto bytes = bytes_of(text);
  crypto_hash_sha512(digest.data(), bytes.data(), bytes.size());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

/// One file without an end: what cmp is given to compare with nothing.
constexpr auto zeroes = "/dev/zero";

}  // namespace

FileTools::FileTools(SimHost& host) : host_(host) {
  program("cat", &FileTools::cat);
  program("stat", &FileTools::stat);
  program("readlink", &FileTools::readlink);
  program("mkdir", &FileTools::mkdir);
  program("rm", &FileTools::rm);
  program("rmdir", &FileTools::rmdir);
  program("cp", &FileTools::copy);
  program("mv", &FileTools::move);
  program("cmp", &FileTools::cmp);
  program("sha256sum", &FileTools::digest);
  program("sha512sum", &FileTools::digest);
  program("test", &FileTools::test);
  program("uname", &FileTools::uname);
  program("hostname", &FileTools::hostname);
  host_.program("true", Output{});
  host_.program("false", Output{.status = 1});
}

void FileTools::program(const std::string& name, Result<Output> (FileTools::*run)(const Command&)) {
  host_.program(name, [this, run](const Command& command) { return (this->*run)(command); });
}

bool FileTools::Parted::has(const std::string& option) const {
  return std::ranges::find(options, option) != options.end();
}

std::string FileTools::Parted::value(const std::string& option) const {
  for (const auto& given : options)
    if (given.starts_with(option + "=")) return given.substr(option.size() + 1);
  return {};
}

bool FileTools::Parted::has_others(const Words& known) const {
  return std::ranges::any_of(options, [&](const std::string& option) {
    const auto equals = option.find('=');
    const auto name = equals == std::string::npos ? option : option.substr(0, equals + 1);
    return std::ranges::find(known, name) == known.end();
  });
}

FileTools::Parted FileTools::part(const Words& argv, const Words& with_value) {
  Parted parted;
  bool only_names = false;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    const auto& word = argv[i];
    if (only_names || !word.starts_with('-') || word == "-") {
      parted.names.push_back(word);
    } else if (word == "--") {
      only_names = true;
    } else if (std::ranges::find(with_value, word) != with_value.end() && i + 1 < argv.size()) {
      parted.options.push_back(word + "=" + argv[++i]);
    } else {
      parted.options.push_back(word);
    }
  }
  return parted;
}

Result<Output> FileTools::cat(const Command& command) {
  const auto parted = part(command.argv);
  if (parted.has_others({})) return host_.does_not_know(command);
  Output output;
  for (const auto& name : parted.names) {
    const auto text = host_.read_file(name, size_max);
    if (text) {
      output.out += *text;
      continue;
    }
    output.status = 1;
    output.err += fmt::format(
        "cat: {}: {}\n", name,
        text.error().fault == Fault::invalid ? "Is a directory" : "No such file or directory");
  }
  return output;
}

Result<Output> FileTools::stat(const Command& command) {
  const auto parted = part(command.argv, {"-c"});
  auto format = parted.value("--format");
  if (format.empty()) format = parted.value("-c");
  if (format.empty() || parted.has_others({"--format=", "-c="}))
    return host_.does_not_know(command);
  Output output;
  for (const auto& name : parted.names) {
    const auto status = host_.status(name);
    if (!status) {
      output.status = 1;
      output.err += fmt::format("stat: cannot statx '{}': No such file or directory\n", name);
      continue;
    }
    const auto line = by_format(format, name, *status);
    if (!line) return host_.does_not_know(command);
    output.out += *line + "\n";
  }
  return output;
}

std::string FileTools::target_of(const Path& link) {
  return host_.read_link(link).value_or(std::string());
}

/// All but the last part has to be there.
std::string FileTools::canonical_of(const Path& path) {
  if (const auto real = host_.canonical(path)) return real->string();
  const auto above = host_.canonical(path.parent_path());
  return above && !host_.status(path) ? (*above / path.filename()).string() : std::string();
}

/// No part has to be there.
std::string FileTools::lenient_path_of(const Path& path) {
  if (const auto real = host_.canonical(path)) return real->string();
  if (!path.has_relative_path()) return path.string();
  if (const auto target = host_.read_link(path))
    return lenient_path_of((path.parent_path() / *target).lexically_normal());
  return (Path(lenient_path_of(path.parent_path())) / path.filename()).string();
}

Result<Output> FileTools::readlink(const Command& command) {
  const auto parted = part(command.argv);
  if (parted.has_others({"--canonicalize", "-f", "--canonicalize-missing"}) || parted.names.empty())
    return host_.does_not_know(command);
  Output output;
  for (const auto& name : parted.names) {
    const auto told = parted.options.empty()                 ? target_of(name)
                      : parted.has("--canonicalize-missing") ? lenient_path_of(name)
                                                             : canonical_of(name);
    output.out += told.empty() ? told : told + "\n";
    if (told.empty()) output.status = 1;
  }
  return output;
}

Result<Output> FileTools::cmp(const Command& command) {
  const auto parted = part(command.argv);
  if (!parted.has("--silent") || parted.names.size() != 2 ||
      parted.has_others({"--silent", "--bytes=", "--ignore-initial="}))
    return host_.does_not_know(command);
  std::vector<std::string> contents;
  const auto skips = split(parted.value("--ignore-initial"), ':');
  for (std::size_t i = 0; i < 2; ++i) {
    if (parted.names[i] == zeroes) continue;
    auto content = content_of(parted.names[i], command);
    // Silent also of that.
    if (!content) return Output{.status = 2};
    const auto skip = parse_number<std::size_t>(skips[std::min(i, skips.size() - 1)]).value_or(0);
    contents.push_back(skip < content->size() ? content->substr(skip) : std::string());
  }
  const auto limit = parse_number<std::size_t>(parted.value("--bytes")).value_or(size_max);
  for (auto& content : contents) content.resize(std::min(content.size(), limit));
  // What a disk of the simulation holds nothing of are zeroes.
  const bool same = contents.size() == 1 ? contents[0].find_first_not_of('\0') == std::string::npos
                                         : contents.size() == 2 && contents[0] == contents[1];
  return Output{.status = same ? 0 : 1};
}

Result<std::string> FileTools::content_of(const std::string& path, const Command& command) {
  if (path == "-") return command.input;
  return host_.read_file(path, size_max);
}

Result<Output> FileTools::digest(const Command& command) {
  const auto parted = part(command.argv);
  if (parted.has_others({"-b", "--binary"})) return host_.does_not_know(command);
  const auto program = Path(command.argv[0]).filename().string();
  Output output;
  for (const auto& name : parted.names) {
    const auto text = content_of(name, command);
    if (!text) {
      output.status = 1;
      output.err += fmt::format(
          "{}: {}: {}\n", program, name,
          text.error().fault == Fault::invalid ? "Is a directory" : "No such file or directory");
      continue;
    }
    constexpr std::uint64_t each_second = std::uint64_t{400} << 20U;
    host_.spend(text->size() * host_.grain_of(name), each_second);
    output.out += fmt::format(
        "{} {}{}\n", program == "sha256sum" ? crypto::sha256(bytes_of(*text)) : sha512(*text),
        parted.options.empty() ? ' ' : '*', name);
  }
  return output;
}

Result<Output> FileTools::test(const Command& command) {
  const auto& argv = command.argv;
  if (argv.size() != 3) return host_.does_not_know(command);
  const auto real = host_.canonical(argv[2]);
  const auto status = real ? host_.status(*real) : Result<FileStatus>(fail(real.error()));
  const auto says = [](bool truth) { return Output{.status = truth ? 0 : 1}; };
  if (argv[1] == "-e") return says(status.has_value());
  if (argv[1] == "-f") return says(status && status->type == FileType::regular);
  if (argv[1] == "-d") return says(status && status->type == FileType::directory);
  if (argv[1] == "-b") return says(status && status->type == FileType::block);
  if (argv[1] == "-c") return says(status && status->type == FileType::character);
  if (argv[1] == "-s") return says(status && status->size != 0);
  if (argv[1] == "-x") return says(status && (status->mode & 0111U) != 0);
  return host_.does_not_know(command);
}

Result<Output> FileTools::uname(const Command& command) {
  const auto line = [this](const char* path) { return host_.read_file(path).value_or("\n"); };
  if (command.argv.size() == 1) return Output{.out = "Linux\n"};
  if (command.argv.size() != 2) return host_.does_not_know(command);
  const auto& option = command.argv[1];
  if (option == "-m") return Output{.out = line("/proc/sys/kernel/arch")};
  if (option == "-r") return Output{.out = line("/proc/sys/kernel/osrelease")};
  if (option == "-n") return Output{.out = line("/proc/sys/kernel/hostname")};
  return host_.does_not_know(command);
}

Result<Output> FileTools::hostname(const Command& command) {
  if (command.argv.size() != 1) return host_.does_not_know(command);
  return Output{.out = host_.read_file("/proc/sys/kernel/hostname").value_or("\n")};
}

}  // namespace relab::agent::sim
