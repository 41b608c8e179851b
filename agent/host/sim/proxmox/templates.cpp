#include "agent/host/sim/proxmox/templates.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <sodium.h>

#include "common/base/bytes.h"
#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

const Path index = "/var/lib/pve-manager/apl-info/download.proxmox.com";
/// What Debian's templates have, more or less, and what a line of 100 Mbit/s brings in a second.
constexpr std::uint64_t usual_size = 125'000'000;
constexpr std::uint64_t line_speed = 12'500'000;

std::string content_of(const std::string& file) { return "the simulated template " + file + "\n"; }

std::string sha512(std::string_view text) {
  std::array<unsigned char, crypto_hash_sha512_BYTES> digest{};
  const auto bytes = bytes_of(text);
  crypto_hash_sha512(digest.data(), bytes.data(), bytes.size());
  return hex(digest);
}

/// "debian-12-standard", "12.12-1" and "amd64" of "debian-12-standard_12.12-1_amd64.tar.zst".
struct Names {
  std::string package;
  std::string version;
  std::string architecture;
};

Names names_of(std::string_view file) {
  const auto parts = split(file, '_');
  if (parts.size() != 3) return {.package = std::string(file), .version = {}, .architecture = {}};
  return {.package = std::string(parts[0]),
          .version = std::string(parts[1]),
          .architecture = std::string(parts[2].substr(0, parts[2].find('.')))};
}

Output refused(std::string_view words) {
  return {.status = 255, .err = fmt::format("{}\n", words)};
}

}  // namespace

Templates::Templates(SimHost& host, Storages& storages, World world, const Faults& faults,
                     const Hooks& hooks)
    : host_(host), storages_(storages), faults_(faults), hooks_(hooks) {
  for (const auto name : world.getTemplates()) offered_.push_back(str(name));
  if (world.getGuests().getCoverage().getAbsent().size() != 0) return;
  host_.directory("/var/lib/vz/template/cache");
  write_index();
}

void Templates::write_index() {
  std::string text;
  for (const auto& file : offered_) {
    const auto names = names_of(file);
    text += fmt::format(
        "Package: {}\nVersion: {}\nType: lxc\nOS: {}\nSection: system\nMaintainer: Proxmox Support "
        "Team <support@proxmox.com>\nArchitecture: {}\nLocation: system/{}\nsha512sum: {}\n"
        "Description: {}\n A small system.\n\n",
        names.package, names.version, names.package.substr(0, names.package.rfind('-')),
        names.architecture, file, sha512(content_of(file)), names.package);
  }
  host_.file(index, text);
}

Result<Output> Templates::pveam(const Command& command) {
  const auto& argv = command.argv;
  if (argv.size() == 2 && argv[1] == "update") {
    host_.spend(Millis(3000));
    // It ends with 0 whatever comes of it.
    if (is_cut_off()) return Output{.err = "update failed - see /var/log/pveam.log for details\n"};
    if (!faults_.update_fails.empty()) return Output{.err = faults_.update_fails + "\n"};
    write_index();
    return Output{.out = "update successful\n"};
  }
  if (argv.size() == 4 && argv[1] == "download") return download(command);
  if (argv.size() == 3 && argv[1] == "list") return list(argv[2]);
  if (argv.size() == 2 && argv[1] == "available") return available();
  return host_.does_not_know(command);
}

Result<Output> Templates::download(const Command& command) {
  const auto& id = command.argv[2];
  const auto& file = command.argv[3];
  const auto storage = storages_.named(id);
  if (!storage) return refused(storage.error().what);
  if (!Storages::takes(*storage, "vztmpl"))
    return refused(fmt::format("storage '{}' does not support templates", id));
  if (std::ranges::find(offered_, file) == offered_.end())
    return refused(
        "400 Parameter verification failed.\ntemplate: no such template\n"
        "pveam download <storage> <template>");
  const auto path = Path(storage->value("path")) / "template/cache" / file;
  host_.directory(path.parent_path());
  Output output{.out = fmt::format("downloading http://download.proxmox.com/images/system/{} to "
                                   "{}\n",
                                   file, path.string())};
  // From here on it is a task, and what becomes of that is not told by the exit status.
  const auto failed = [&](std::string_view words) {
    output.err = fmt::format("download failed: {}\n", words);
    return output;
  };
  // Of wget: it resolves no names.
  if (is_cut_off()) return failed("exit code 4");
  if (!faults_.download_fails.empty()) {
    faults_.met_by_download = true;
    return failed(faults_.download_fails);
  }
  if (storages_.is_full(id)) return failed("No space left on device");
  const auto content = content_of(file);
  host_.spend(usual_size, line_speed);
  host_.stand_for(usual_size / content.size());
  const auto written = [&]() -> Result<void> {
    const auto partial = path.string() + ".tmp";
    RELAB_TRY(const auto writing, host_.create_file(partial));
    RELAB_CHECK(writing->take(bytes_of(content)));
    return writing->publish(path);
  }();
  host_.stand_for(1);
  if (!written) return failed(written.error().what);
  output.out += "calculating checksum...OK, checksum verified\n";
  return output;
}

Output Templates::available() const {
  Output output;
  for (const auto& file : offered_)
    output.out += fmt::format("{:<15} {:<60} {}\n", "system", file, names_of(file).architecture);
  return output;
}

Output Templates::list(const std::string& storage) const {
  constexpr double mebibyte = 1024 * 1024;
  const auto templates = storages_.templates(storage);
  if (!templates) return refused(templates.error().what);
  Output output{.out = fmt::format("{:<60} {:<6}\n", "NAME", "SIZE")};
  for (const auto& item : *templates)
    output.out += fmt::format("{:<60} {:.2f}MB\n", text_of(item, "volid"),
                              item["size"].get<double>() / mebibyte);
  return output;
}

std::string suite_of_template(std::string_view file) {
  constexpr std::array<std::pair<std::string_view, const char*>, 3> suites{
      {{"debian-11", "bullseye"}, {"debian-12", "bookworm"}, {"debian-13", "trixie"}}};
  for (const auto& [beginning, suite] : suites)
    if (file.starts_with(beginning)) return suite;
  return {};
}

}  // namespace relab::agent::sim
