// That the lists were read with this very source and key is kept in a file beside the key, which is
// written after apt has said nothing wrong: lists of an earlier source, or of one whose key does
// not fit, look the same. The same file, from before the first of ours is written, says that files
// by this name are relab's: those of others, such as the sources of Debian itself, are not
// replaced.

#include "agent/kinds/system/apt_repository.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/system/apt.h"
#include "agent/kinds/system/difference.h"
#include "agent/kinds/system/rights.h"
#include "agent/kinds/system/sources_file.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"

namespace relab::agent::system {

namespace {

using Params = schema::AptRepository;
using Facts = schema::AptRepository::Facts;
using Texts = std::vector<std::string>;

constexpr auto keyrings = "/etc/apt/keyrings";
constexpr auto mark_at_first = "not read yet\n";
constexpr std::size_t key_max = std::size_t{256} << 10U;
constexpr auto lock_wait = std::chrono::seconds(600);
constexpr Rights file_rights = {.uid = 0, .gid = 0, .mode = 0644};
constexpr Rights folder_rights = {.uid = 0, .gid = 0, .mode = 0755};

struct Places {
  std::string source;
  std::string key;
  /// What the lists were read with last. As long as there is none, the others are not ours.
  std::string mark;
  /// Of the older form; never written.
  std::string list;
};

Places places_of(std::string_view name) {
  return {.source = fmt::format("/etc/apt/sources.list.d/{}.sources", name),
          .key = fmt::format("{}/{}.asc", keyrings, name),
          .mark = fmt::format("{}/{}.relab", keyrings, name),
          .list = fmt::format("/etc/apt/sources.list.d/{}.list", name)};
}

bool is_all_of(std::string_view text, std::string_view more) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

/// No value may begin another field, or another source.
Result<void> check_words(const Texts& texts) {
  for (const auto& text : texts)
    if (text.empty() || !std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; }))
      return fail(Fault::invalid, fmt::format("'{}' is no word of a source", clean_text(text)));
  return {};
}

Result<void> check_wish(Params::Reader params) {
  if (!is_all_of(view(params.getName()), "-_"))
    return fail(Fault::invalid, fmt::format("'{}' is no name of a source", str(params.getName())));
  if (params.getUris().size() == 0 || params.getSuites().size() == 0)
    return fail(Fault::invalid, "a source needs at least one URI and one suite");
  for (const auto list :
       {params.getUris(), params.getSuites(), params.getComponents(), params.getArchitectures()})
    RELAB_CHECK(check_words(texts_of(list)));
  if (params.getKey().size() == 0 || params.getFingerprint().size() == 0 ||
      params.getKey().size() > key_max)
    return fail(Fault::invalid, "a source needs the key that signs it, and its fingerprint");
  for (const auto file : params.getDisable()) {
    const Path path(str(file));
    const bool fits = path == "/etc/apt/sources.list" ||
                      (path.parent_path() == "/etc/apt/sources.list.d" &&
                       (path.extension() == ".sources" || path.extension() == ".list"));
    if (!fits || path == places_of(view(params.getName())).source)
      return fail(Fault::invalid, fmt::format("'{}' is no other file of sources", path.string()));
  }
  return {};
}

std::string source_of(Params::Reader params) {
  return to_deb822({.uris = texts_of(params.getUris()),
                    .suites = texts_of(params.getSuites()),
                    .components = texts_of(params.getComponents()),
                    .architectures = texts_of(params.getArchitectures()),
                    .signed_by = places_of(view(params.getName())).key});
}

std::string mark_of(Params::Reader params) {
  return crypto::sha256(bytes_of(source_of(params) + str(params.getKey()))) + "\n";
}

/// Empty if there is none.
Result<std::string> read_if_there(Host& host, const Path& path) {
  auto text = host.read_file(path);
  if (!text && text.error().fault == Fault::missing) return std::string();
  return text;
}

Result<Texts> fingerprints_of(Host& host, const std::string& key) {
  // Nothing of anybody's keyring is read or made: the folder only has to exist.
  RELAB_TRY(const auto output, host.run({.argv = {"gpg", "--batch", "--no-options", "--homedir",
                                                  "/etc/apt", "--no-keyring", "--trust-model",
                                                  "always", "--with-colons", "--show-keys"},
                                         .input = key}));
  if (output.status != 0 || output.truncated)
    return fail(Fault::invalid, fmt::format("the key cannot be read: gpg ended with {}: {}",
                                            output.status, first_words(output)));
  return parse_fingerprints(output.out);
}

/// What is there of the files by this name.
struct Found {
  std::string source;
  std::string key;
  std::string mark;
};

Result<Found> find_files(Host& host, const Places& places) {
  Found found;
  RELAB_TRY(found.source, read_if_there(host, places.source));
  RELAB_TRY(found.key, read_if_there(host, places.key));
  RELAB_TRY(found.mark, read_if_there(host, places.mark));
  return found;
}

bool is_enabled(const std::string& text, std::string_view file) {
  return switched_off(text, file.ends_with(".sources")) != text;
}

/// Fault::refused where somebody else has something by this name that is not what was ordered.
Result<void> check_ours(Host& host, Params::Reader params, const Found& found) {
  if (!found.mark.empty()) return {};
  const auto places = places_of(view(params.getName()));
  const auto foreign = [](const std::string& file) {
    return refuse(fmt::format("{} is there, and relab did not make it", file),
                  "give the source another name, or take that file away by hand");
  };
  if (!found.source.empty() && found.source != source_of(params)) return foreign(places.source);
  if (!found.key.empty() && found.key != view(params.getKey())) return foreign(places.key);
  const auto others = texts_of(params.getDisable());
  if (std::ranges::find(others, places.list) != others.end()) return {};
  RELAB_TRY(const auto list, read_if_there(host, places.list));
  if (!is_enabled(list, places.list)) return {};
  return refuse(fmt::format("{} has a source by this name, and relab did not make it", places.list),
                "give the source another name, or that file in `disable`");
}

/// Those of other files that have a source which is not off.
Result<Texts> enabled_of(Host& host, Params::Reader params) {
  Texts enabled;
  for (const auto file : params.getDisable()) {
    RELAB_TRY(const auto text, read_if_there(host, str(file)));
    if (is_enabled(text, view(file))) enabled.push_back(str(file));
  }
  return enabled;
}

/// apt has a list of every component of every suite.
Result<bool> has_lists(Host& host, Params::Reader params) {
  const auto source = places_of(view(params.getName())).source;
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"apt-get", "indextargets", "--format", "$(CREATED_BY)", "-o",
                                      "Dir::Etc::SourceList=" + source, "-o",
                                      "Dir::Etc::SourceParts=/dev/null"}}));
  const auto all = lines(text);
  const auto lists = std::ranges::count(all, std::string_view("Packages"));
  const auto parts = std::max<std::size_t>(1, params.getComponents().size());
  const auto wanted = params.getUris().size() * params.getSuites().size() * parts;
  return static_cast<std::size_t>(lists) >= wanted;
}

template <typename List>
void store_texts(List list, const Texts& texts) {
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, texts[i]);
}

Result<void> switch_off(Host& host, const std::string& path) {
  RELAB_TRY(const auto status, host.status(path));
  RELAB_TRY(const auto text, host.read_file(path));
  return host.put_file(path, {.text = switched_off(text, path.ends_with(".sources"))},
                       {.uid = status.uid, .gid = status.gid, .mode = status.mode});
}

Result<void> put(Host& host, const std::string& path, const std::string& text) {
  const auto folder = Path(path).parent_path();
  if (const auto status = host.status(folder); !status) {
    if (status.error().fault != Fault::missing) return fail(status.error());
    RELAB_CHECK(host.put_directory(folder, folder_rights));
  }
  return host.put_file(path, {.text = text}, file_rights);
}

/// Before anything else is put in place: afterwards nobody could tell whose it is.
Result<void> mark_as_ours(Host& host, const std::string& mark) {
  const auto status = host.status(mark);
  if (status) return {};
  if (status.error().fault != Fault::missing) return fail(status.error());
  return put(host, mark, mark_at_first);
}

std::string words_of_source(Params::Reader params, Facts::Reader facts) {
  auto words = fmt::format(
      "{} {}: {} {}", facts.getThere() ? "~" : "+", places_of(view(params.getName())).source,
      fmt::join(texts_of(params.getUris()), " "), fmt::join(texts_of(params.getSuites()), " "));
  if (facts.getThere())
    for (const auto line : facts.getDifference()) words += fmt::format("\n        {}", view(line));
  return words;
}

}  // namespace

Result<Message<Facts>> AptRepository::observe(Params::Reader params, Host& host) {
  RELAB_CHECK(check_wish(params));
  Draft<Facts> facts;
  RELAB_TRY(const auto fingerprints, fingerprints_of(host, str(params.getKey())));
  store_texts(facts->initFingerprints(size_of(fingerprints)), fingerprints);
  RELAB_TRY(const auto found, find_files(host, places_of(view(params.getName()))));
  RELAB_CHECK(check_ours(host, params, found));
  facts->setThere(!found.source.empty());
  facts->setSource(found.source == source_of(params));
  const auto lines_of_difference = difference(found.source, source_of(params));
  store_texts(facts->initDifference(size_of(lines_of_difference)), lines_of_difference);
  facts->setKey(found.key == view(params.getKey()));
  RELAB_TRY(const auto enabled, enabled_of(host, params));
  store_texts(facts->initEnabled(size_of(enabled)), enabled);
  if (facts->getSource() && facts->getKey() && found.mark == mark_of(params)) {
    RELAB_TRY(const auto listed, has_lists(host, params));
    facts->setListed(listed);
  }
  return std::move(facts).finish();
}

Result<std::vector<Change>> AptRepository::plan(Params::Reader params, Facts::Reader facts) {
  const auto fingerprints = facts.getFingerprints();
  if (fingerprints.size() != 1 || view(fingerprints[0]) != view(params.getFingerprint()))
    return refuse(fmt::format("the key is not the one with the fingerprint {}: it holds {}",
                              view(params.getFingerprint()),
                              fingerprints.size() == 0
                                  ? "no public key"
                                  : fmt::format("{}", fmt::join(texts_of(fingerprints), ", "))),
                  "compare the fingerprint with what the makers of the packages publish");
  const auto places = places_of(view(params.getName()));
  std::vector<Change> changes;
  if (!facts.getKey())
    changes.push_back(
        {.what = fmt::format("+ {}, the key {}", places.key, view(params.getFingerprint())),
         .how = {"key", places.key, str(params.getKey()), places.mark}});
  if (!facts.getSource())
    changes.push_back({.what = words_of_source(params, facts),
                       .how = {"source", places.source, source_of(params), places.mark}});
  for (const auto file : facts.getEnabled())
    changes.push_back(
        {.what = fmt::format("~ {} switched off", view(file)), .how = {"off", str(file)}});
  if (!facts.getListed())
    changes.push_back({.what = fmt::format("~ lists of {} read", view(params.getName())),
                       .how = {"read", places.source, places.mark, mark_of(params)}});
  return changes;
}

Result<void> AptRepository::apply(const Change& change, Host& host) {
  const auto& how = change.how;
  RELAB_ASSERT(how.size() >= 2);
  if (how[0] == "off") return switch_off(host, how[1]);
  RELAB_ASSERT(how.size() == 4);
  if (how[0] == "key" || how[0] == "source") {
    RELAB_CHECK(mark_as_ours(host, how[3]));
    return put(host, how[1], how[2]);
  }
  RELAB_ASSERT(how[0] == "read");
  RELAB_CHECK(refresh(host, how[1], lock_wait));
  return host.put_file(how[2], {.text = how[3]}, file_rights);
}

}  // namespace relab::agent::system
