// Of a file whose content is a secret nothing is read here: whether it has that content is for cmp
// to say, which is given the secret by the host.

#include "agent/kinds/system/file.h"

#include <fmt/format.h>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/system/difference.h"
#include "agent/kinds/system/rights.h"
#include "common/crypto/sha256.h"

namespace relab::agent::system {

namespace {

using Params = schema::File;
using Facts = schema::File::Facts;

constexpr std::size_t content_max = std::size_t{256} << 10U;
constexpr std::size_t read_max = std::size_t{16} << 20U;
/// Of a digest, in words.
constexpr std::size_t digest_shown = 12;

Result<void> check_wish(Params::Reader params) {
  RELAB_CHECK(check_path(view(params.getPath())));
  if (params.getContent().size() > content_max)
    return fail(Fault::invalid, fmt::format("the content has {} bytes, more than {}",
                                            params.getContent().size(), content_max));
  if (params.getSecret().size() == 0 || params.getContent().size() == 0) return {};
  return fail(Fault::invalid, "both a content and a secret are given");
}

/// Whether the file has the secret as its content.
Result<bool> holds_secret(Host& host, const std::string& path, const std::string& secret) {
  RELAB_TRY(const auto output,
            host.run({.argv = {"cmp", "--silent", "--", "-", path}, .secret_input = secret}));
  if (output.status == 0) return true;
  if (output.status == 1) return false;
  return fail(Fault::damaged, fmt::format("cmp could not compare {} with the secret '{}': it ended "
                                          "with {}: {}",
                                          path, secret, output.status, first_words(output)));
}

Result<void> describe_content(Params::Reader params, Host& host, Facts::Builder facts) {
  const auto path = str(params.getPath());
  if (params.getSecret().size() != 0) {
    RELAB_TRY(const auto holds, holds_secret(host, path, str(params.getSecret())));
    facts.setHolds(holds);
    return {};
  }
  RELAB_TRY(const auto now, host.read_file(path, read_max));
  const auto wanted = view(params.getContent());
  facts.setHolds(now == wanted);
  facts.setDigest(crypto::sha256(bytes_of(now)));
  facts.setSize(now.size());
  const auto lines = difference(now, wanted);
  auto list = facts.initDifference(size_of(lines));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, lines[i]);
  return {};
}

std::string short_digest(std::string_view text) {
  return std::string(text.substr(0, digest_shown));
}

/// The change in the file's content, over several lines.
std::string words_of_content(Params::Reader params, Facts::Reader facts) {
  const auto path = view(params.getPath());
  if (params.getSecret().size() != 0)
    return fmt::format("{} {} with the secret '{}'", facts.getThere() ? "~" : "+", path,
                       view(params.getSecret()));
  const auto wanted = crypto::sha256(bytes_of(view(params.getContent())));
  if (!facts.getThere())
    return fmt::format("+ {}, {} bytes, sha256 {}", path, params.getContent().size(),
                       short_digest(wanted));
  auto words = fmt::format("~ {}, sha256 {} becomes {}", path,
                           short_digest(view(facts.getDigest())), short_digest(wanted));
  for (const auto line : facts.getDifference()) words += fmt::format("\n        {}", view(line));
  return words;
}

}  // namespace

Result<Message<Facts>> File::observe(Params::Reader params, Host& host) {
  RELAB_CHECK(check_wish(params));
  const auto path = str(params.getPath());
  Draft<Facts> facts;
  facts->setPath(path);
  RELAB_TRY(const auto wanted, resolve(host, {.owner = str(params.getOwner()),
                                              .group = str(params.getGroup()),
                                              .mode = str(params.getMode())}));
  store(wanted, facts->initWanted());
  RELAB_TRY(const auto in_the_way, obstacle_on_the_way(host, path));
  facts->setObstacle(in_the_way);
  if (!in_the_way.empty()) return std::move(facts).finish();
  const auto status = host.status(path);
  if (!status && status.error().fault != Fault::missing) return fail(status.error());
  if (!status) return std::move(facts).finish();
  if (status->type != FileType::regular) {
    facts->setObstacle(fmt::format("it is a {}", name(status->type)));
    return std::move(facts).finish();
  }
  facts->setThere(true);
  store({.uid = status->uid, .gid = status->gid, .mode = status->mode}, facts->initRights());
  RELAB_CHECK(describe_content(params, host, *facts));
  return std::move(facts).finish();
}

Result<std::vector<Change>> File::plan(Params::Reader params, Facts::Reader facts) {
  const auto path = str(params.getPath());
  if (facts.getObstacle().size() != 0)
    return refuse(fmt::format("{} is not written: {}", path, view(facts.getObstacle())),
                  "give the path of a file in a folder that is there, without symbolic links");
  const auto now = load(facts.getRights());
  const auto wanted = load(facts.getWanted());
  const bool same_rights = facts.getThere() && now == wanted;
  std::vector<Change> changes;
  if (facts.getHolds() && same_rights) return changes;
  auto what = facts.getHolds() ? fmt::format("~ {}", path) : words_of_content(params, facts);
  if (!facts.getThere()) what += fmt::format(", {}", words_of(wanted));
  if (facts.getThere() && !same_rights)
    what += fmt::format("{} {} becomes {}", facts.getHolds() ? "," : "\n       ", words_of(now),
                        words_of(wanted));
  // One change for both: the file is replaced with its content and its rights at once.
  changes.push_back(
      {.what = std::move(what),
       .how = {path, str(params.getContent()), str(params.getSecret()), to_text(wanted)}});
  return changes;
}

Result<void> File::apply(const Change& change, Host& host) {
  const auto& how = change.how;
  RELAB_ASSERT(how.size() == 4);
  auto done = host.put_file(how[0], {.text = how[1], .secret = how[2]}, from_text(how[3]));
  if (!done && done.error().fault == Fault::missing && done.error().hint.empty())
    done.error().hint = "have its folder made first, by a task of the kind `directory`";
  return done;
}

}  // namespace relab::agent::system
