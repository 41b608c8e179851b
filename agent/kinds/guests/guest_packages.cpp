#include "agent/kinds/guests/guest_packages.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/guests/agent_inside.h"
#include "agent/kinds/guests/pct.h"
#include "agent/kinds/support/gaps.h"
#include "common/base/text.h"

namespace relab::agent::guests {

namespace {

using std::chrono::seconds;

constexpr auto pack_time_max = seconds(300);
/// A folder for this one task; whoever was before may still be at his.
constexpr std::string_view folder_script = R"sh(
set -eu
find /var/cache -maxdepth 1 -name 'relab-parcels.*' -mmin +1440 -exec rm -rf {} +
folder=$(mktemp -d /var/cache/relab-parcels.XXXXXX)
mkdir "$folder/lists"
echo "$folder"
)sh";

/// What both scripts begin with: one of them at a time, nobody is asked anything, nothing is
/// restarted that has nothing to do with it, and as long as others keep dpkg locked they are waited
/// for. Only dpkg's own words count as that: packages are called libblockdev, too.
constexpr std::string_view common_part = R"sh(
set -eu
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none \
  UCF_FORCE_CONFFOLD=1 LC_ALL=C.UTF-8
take_turn() {
  exec 9>/run/relab-parcels.lock
  flock -w 900 9 || { echo "another installation of relab's packages does not end" >&2; exit 1; }
}
is_locked() {
  case $1 in
    *"dpkg: error: dpkg "*"locked by another process"*) return 0 ;;
  esac
  return 1
}
own_dpkg() {
  tries=0
  until said=$(dpkg --force-confdef --force-confold "$@" 2>&1 9>&-); do
    is_locked "$said" || { echo "$said" >&2; exit 1; }
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then
      echo "dpkg stayed locked for five minutes: $(echo "$said" | head -n 1)" >&2
      exit 1
    fi
    sleep 3
  done
}
)sh";

/// apt reads the source of the parcels and no other, with lists of its own. What an installation
/// before left half done is completed first. What the agent only recommends comes along where it
/// was put among the parcels. https://wiki.debian.org/DebianRepository/Format
constexpr std::string_view install_part = R"sh(
folder=$1 digest=$2
shift 2
trap 'rm -rf "$folder"' EXIT
take_turn
cd "$folder"
echo "$digest  parcels.tar" | sha256sum --check --quiet --strict - ||
  { echo "the packages did not come whole: is the disk full?" >&2; exit 1; }
tar --extract --file parcels.tar --no-same-owner
rm parcels.tar
chmod 755 . lists
chmod 644 ./*.deb Packages
echo "deb [trusted=yes] file:$folder ./" >sources.list
own_dpkg --configure -a
own() {
  apt-get -q -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$folder/lists" -o APT::Get::List-Cleanup=0 -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" 9>&-
}
for name in bind9-dnsutils curl gpg; do
  if grep -qx "Package: $name" Packages; then set -- "$@" "$name"; fi
done
own update >&2
own install --yes --no-install-recommends --no-remove -- "$@" >&2
)sh";

/// By dpkg, which takes away what it is told and nothing else.
constexpr std::string_view remove_part = R"sh(
take_turn
own_dpkg --remove -- "$@"
)sh";

/// What apt is told of one file.
Result<std::string> stanza_of(Host& host, const Path& path, const Parcel& parcel) {
  RELAB_TRY(auto text, output_of(host, {.argv = {"dpkg-deb", "--field", path.string()}}));
  while (text.ends_with('\n')) text.pop_back();
  return fmt::format("{0}\nFilename: ./{1}.deb\nSize: {2}\nSHA256: {1}\n\n", text, parcel.sha256,
                     parcel.size);
}

/// Files that are there while something is installed.
class Bundle {
 public:
  Bundle(Host& host, std::uint32_t vmid) : host_(host), vmid_(vmid) {}
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;
  ~Bundle() {
    for (const auto& path : made_) static_cast<void>(host_.remove_file(path).has_value());
  }

  /// A tar of the parcels and of apt's table of them.
  Result<Path> pack(const std::vector<Parcel>& parcels) {
    std::string table;
    std::vector<std::string> names;
    Path folder;
    for (const auto& parcel : parcels) {
      RELAB_TRY(const auto path, host_.fetch(parcel));
      RELAB_TRY(const auto stanza, stanza_of(host_, path, parcel));
      table += stanza;
      names.push_back(path.filename().string());
      folder = path.parent_path();
    }
    const auto list = folder / fmt::format("{}.Packages", vmid_);
    auto tar = folder / fmt::format("{}.tar", vmid_);
    made_ = {list, tar};
    RELAB_CHECK(host_.put_file(list, {.text = table, .secret = {}}, {.mode = 0600}));
    std::vector<std::string> argv = {
        "tar",         "--create",
        "--file",      tar.string(),
        "--directory", folder.string(),
        "--transform", R"(s,^\([0-9a-f]\{64\}\)$,\1.deb,)",
        "--transform", fmt::format("s,^{}[.]Packages$,Packages,", vmid_),
        "--",          list.filename().string()};
    argv.insert(argv.end(), names.begin(), names.end());
    RELAB_CHECK(must_run(host_, {.argv = std::move(argv), .timeout = pack_time_max}));
    return tar;
  }

 private:
  Host& host_;
  std::uint32_t vmid_;
  std::vector<Path> made_;
};

Result<std::string> digest_of(Host& host, const Path& path) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"sha256sum", "--", path.string()},
                                              .timeout = pack_time_max}));
  const auto parts = words(text);
  constexpr std::size_t digits = 64;
  if (parts.size() != 2 || parts[0].size() != digits)
    return fail(Fault::damaged, fmt::format("sha256sum printed no digest of {}", path.string()));
  return std::string(parts[0]);
}

}  // namespace

std::string install_script() { return fmt::format("{}{}", common_part, install_part); }

std::string remove_script() { return fmt::format("{}{}", common_part, remove_part); }

Result<PackageName> package_name(const Parcel& parcel) {
  const auto file = Path(parcel.name).filename().string();
  constexpr std::string_view ending = ".deb";
  const auto parts =
      split(file.ends_with(ending) ? std::string_view(file).substr(0, file.size() - ending.size())
                                   : std::string_view(),
            '_');
  if (parts.size() != 3 || parts[0].empty() || parts[1].empty() || parts[2].empty())
    return fail(Fault::invalid, fmt::format("'{}' is not named like a package", parcel.name),
                "NAME_VERSION_ARCHITECTURE.deb");
  std::string version(parts[1]);
  // An epoch's colon, as apt-get download writes it.
  if (const auto at = version.find("%3a"); at != std::string::npos) version.replace(at, 3, ":");
  return PackageName{.name = std::string(parts[0]), .version = std::move(version)};
}

std::vector<Parcel> parcels_for(const std::vector<Parcel>& parcels, std::string_view suite) {
  std::vector<Parcel> fitting;
  for (const auto& parcel : parcels) {
    const auto folder = Path(parcel.name).parent_path().string();
    if (folder.empty() || folder == suite) fitting.push_back(parcel);
  }
  return fitting;
}

Result<void> install_inside(Host& host, const Installation& installation) {
  Bundle bundle(host, installation.vmid);
  RELAB_TRY(const auto tar, bundle.pack(installation.parcels));
  RELAB_TRY(const auto digest, digest_of(host, tar));
  constexpr auto look_time = seconds(60);
  RELAB_TRY(const auto made, run_inside(host, installation.vmid, folder_script, {}, look_time));
  const std::string folder(trim(made));
  if (!folder.starts_with("/var/cache/relab-parcels."))
    return fail(Fault::damaged,
                fmt::format("container {} made no folder for the packages", installation.vmid));
  RELAB_CHECK(pct(host,
                  {"push", std::to_string(installation.vmid), tar.string(), folder + "/parcels.tar",
                   "--perms", "0600"},
                  pack_time_max));
  std::vector<std::string> arguments = {folder, digest};
  arguments.insert(arguments.end(), installation.items.begin(), installation.items.end());
  RELAB_TRY(const auto done, run_inside(host, installation.vmid, install_script(), arguments,
                                        installation.patience));
  static_cast<void>(done);
  return {};
}

Result<void> remove_inside(Host& host, std::uint32_t vmid, const std::vector<std::string>& names,
                           seconds patience) {
  RELAB_TRY(const auto done, run_inside(host, vmid, remove_script(), names, patience));
  static_cast<void>(done);
  return {};
}

}  // namespace relab::agent::guests
