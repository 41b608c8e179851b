#include "agent/kinds/guests/guest_template.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/guests/pct.h"
#include "agent/kinds/guests/templates.h"
#include "agent/kinds/support/gaps.h"
#include "common/base/text.h"

namespace relab::agent::guests {

namespace {

constexpr std::size_t sha512_digits = 128;
constexpr auto digest_time_max = std::chrono::minutes(10);
constexpr auto update_time_max = std::chrono::minutes(5);
constexpr auto download_time_max = std::chrono::hours(1);

Result<std::string> path_of(Host& host, const std::string& volid) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"pvesm", "path", volid}}));
  return std::string(trim(text));
}

Result<std::string> sha512_of(Host& host, const std::string& path) {
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"sha512sum", "-b", "--", path}, .timeout = digest_time_max}));
  const auto digest = text.substr(0, sha512_digits);
  const bool hex_only = std::ranges::all_of(
      digest, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (digest.size() != sha512_digits || !hex_only)
    return fail(Fault::damaged, fmt::format("sha512sum printed no digest of {}", path));
  return digest;
}

/// pveam ends with 0 whatever comes of it.
Result<Output> pveam(Host& host, std::vector<std::string> arguments, std::chrono::seconds timeout) {
  arguments.insert(arguments.begin(), "pveam");
  RELAB_TRY(auto output, host.run({.argv = std::move(arguments), .timeout = timeout}));
  remark_warnings(host, output);
  return output;
}

/// What it said. An index that could not be renewed still has the digests of what it offers: it is
/// taken, and that is remarked.
Result<std::string> renew_index(Host& host) {
  RELAB_TRY(const auto output, pveam(host, {"update"}, update_time_max));
  const auto words = first_words(output);
  if (output.out.find("update successful") == std::string::npos)
    host.remark(fmt::format(
        "Proxmox could not renew its index of templates, the one from before was taken: {}",
        words));
  return words;
}

Result<void> see_downloaded(Host& host, const std::string& storage, const std::string& file,
                            const std::string& words) {
  RELAB_TRY(const auto there, templates_on(host, storage));
  if (std::ranges::find(there, file, &Template::file) != there.end()) return {};
  return fail(
      Fault::damaged,
      fmt::format("pveam did not download {} to the storage '{}': {}", file, storage, words),
      "see /var/log/pveam.log and the room on the storage");
}

}  // namespace

Result<Message<GuestTemplate::Facts>> GuestTemplate::observe(Params::Reader params, Host& host) {
  const auto beginning = str(params.getName());
  RELAB_TRY(const auto there, templates_on(host, str(params.getStorage())));
  RELAB_TRY(const auto index, templates_offered(host).during("reading the index of templates"));
  Draft<Facts> facts;
  facts->setExpected(params.getSha512());
  if (const auto offered = newest(index, beginning)) facts->setOffered(offered->file);
  const auto found = newest(there, beginning);
  if (!found) return std::move(facts).finish();
  RELAB_TRY(const auto path, path_of(host, found->volid));
  RELAB_TRY(const auto digest, sha512_of(host, path));
  facts->setFile(found->file);
  facts->setPath(path);
  facts->setSize(found->size);
  facts->setSha512(digest);
  const auto listed = std::ranges::find(index, found->file, &Template::file);
  if (params.getSha512().size() == 0 && listed != index.end()) facts->setExpected(listed->sha512);
  return std::move(facts).finish();
}

Result<std::vector<Change>> GuestTemplate::plan(Params::Reader params, Facts::Reader facts) {
  const auto file = str(facts.getFile());
  const auto offered = str(facts.getOffered());
  const std::vector<std::string> how = {str(params.getStorage()), str(params.getName())};
  if (file.empty() || (!offered.empty() && is_older(file, offered)))
    return std::vector<Change>{
        {.what = fmt::format("+ template {} on the storage '{}'",
                             offered.empty() ? how[1] + "* of Proxmox's index" : offered, how[0]),
         .how = how}};
  if (facts.getExpected().size() == 0)
    return std::vector<Change>{
        {.what = fmt::format("ask Proxmox's index what {} must be", file), .how = how}};
  if (view(facts.getExpected()) != view(facts.getSha512()))
    return refuse(fmt::format("{} is not what {} tells: its SHA-512 is {}", str(facts.getPath()),
                              params.getSha512().size() == 0 ? "Proxmox's index" : "the task",
                              str(facts.getSha512())),
                  "remove the file, and run it again: it is downloaded anew");
  return std::vector<Change>();
}

Result<void> GuestTemplate::apply(const Change& change, Host& host) {
  RELAB_ASSERT(change.how.size() == 2);
  const auto& storage = change.how[0];
  const auto& beginning = change.how[1];
  RELAB_TRY(const auto updated, renew_index(host));
  RELAB_TRY(const auto index, templates_offered(host));
  const auto offered = newest(index, beginning);
  if (!offered)
    return fail(Fault::missing,
                fmt::format("Proxmox's index offers no template '{}*': {}", beginning, updated),
                "see `pveam available`, and whether this host reaches its server; or put the file "
                "on the storage, and give its `sha512`");
  RELAB_TRY(const auto there, templates_on(host, storage));
  if (std::ranges::find(there, offered->file, &Template::file) != there.end()) return {};
  RELAB_TRY(const auto output,
            pveam(host, {"download", storage, offered->file}, download_time_max));
  return see_downloaded(host, storage, offered->file, first_words(output));
}

}  // namespace relab::agent::guests
