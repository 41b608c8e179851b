#include "agent/kinds/support/look_inside.h"

#include <fmt/format.h>
#include <sodium.h>

#include "agent/kinds/support/gaps.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::chrono::seconds look_time_max{30};
constexpr std::size_t look_size_max = std::size_t{16} << 20U;

Result<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  const auto code =
      sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), "\r\n", &size, &end, sodium_base64_VARIANT_ORIGINAL);
  if (code != 0 || end != text.data() + text.size())
    return fail(Fault::damaged, "a file came back in no base64");
  bytes.resize(size);
  return bytes;
}

/// It may end while it is looked at: "/proc/4711/cgroup".
bool is_of_process(std::string_view path) {
  constexpr std::string_view folder = "/proc/";
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] >= '0' &&
         path[folder.size()] <= '9';
}

/// The lines up to the one with a single point; `at` is left behind it.
Result<std::string> parse_body(const std::vector<std::string_view>& all, std::size_t& at) {
  std::string body;
  for (; at < all.size(); ++at) {
    if (all[at] == ".") {
      ++at;
      return from_base64(body);
    }
    body += all[at];
  }
  return fail(Fault::damaged, "the answer ends within a file");
}

}  // namespace

std::vector<std::string> inside(std::uint32_t vmid) {
  return {"pct", "exec", std::to_string(vmid), "--keep-env", "0", "--"};
}

std::string_view look_script() {
  // IFS is emptied so that a pattern with spaces stays one; without globbing paths are literal.
  return R"(IFS=
newline='
'
max=$1
shift
mode=
for pattern do
  case "$pattern" in
    --contents | --names) mode=$pattern; continue ;;
    --literal) set -f; continue ;;
  esac
  for path in $pattern; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    case "$path" in *"$newline"*) echo 'lost (a name with a line feed)'; continue ;; esac
    if [ "$mode" = --names ]; then printf 'name %s\n' "$path"; continue; fi
    if [ ! -e "$path" ]; then printf 'lost %s\n' "$path"; continue; fi
    [ -f "$path" ] || continue
    size=$(wc -c <"$path") && [ "$size" -le "$max" ] && body=$(base64 <"$path") ||
      { printf 'lost %s\n' "$path"; continue; }
    printf 'file %s\n%s\n.\n' "$path" "$body"
  done
done
echo end)";
}

std::vector<std::string> look_arguments(const Wanted& wanted) {
  std::vector<std::string> arguments{std::to_string(gathered_size_max)};
  if (wanted.literal) arguments.emplace_back("--literal");
  arguments.emplace_back("--contents");
  arguments.insert(arguments.end(), wanted.contents.begin(), wanted.contents.end());
  arguments.emplace_back("--names");
  arguments.insert(arguments.end(), wanted.names.begin(), wanted.names.end());
  return arguments;
}

Result<Gathered> parse_look(std::string_view text) {
  Gathered gathered;
  const auto all = lines(text);
  std::size_t at = 0;
  while (at < all.size()) {
    const auto line = all[at++];
    if (line == "end" && at == all.size()) return gathered;
    const auto path = line.size() > 5 ? std::string(line.substr(5)) : std::string();
    if (line.starts_with("name ")) {
      gathered.names.insert(path);
    } else if (line.starts_with("lost ")) {
      if (!is_of_process(path))
        gathered.unreadable[path] = "it is a dangling link, too large, or not to be read";
    } else if (line.starts_with("file ")) {
      RELAB_TRY(gathered.contents[path], parse_body(all, at));
    } else {
      return fail(Fault::damaged, "the answer has a line of another form");
    }
  }
  return fail(Fault::damaged, "the answer has no end");
}

Result<Gathered> look_inside(Host& host, std::uint32_t vmid, const Wanted& wanted) {
  auto argv = inside(vmid);
  argv.insert(argv.end(), {"sh", "-c", std::string(look_script()), "relab"});
  for (auto& argument : look_arguments(wanted)) argv.push_back(std::move(argument));
  RELAB_TRY(
      const auto output,
      host.run({.argv = std::move(argv), .timeout = look_time_max, .output_max = look_size_max}));
  // Its standard output holds files, and so secrets: an error repeats only what the tools said.
  if (output.status != 0)
    return fail(
        Fault::damaged,
        fmt::format("looking into it with 'pct exec {}' ended with {}: {}", vmid, output.status,
                    first_words(Output{.status = 0, .out = {}, .err = output.err})));
  if (output.truncated)
    return fail(Fault::damaged, fmt::format("its files have more than {} bytes", look_size_max));
  return parse_look(output.out);
}

}  // namespace relab::agent
