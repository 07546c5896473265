// Bytes written:
//
//   file := "[" document ("," LF document)* "]" LF
#include "blocklist/feed/collection_fetcher.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "blocklist/feed/format.h"
#include "blocklist/feed/formats/json_reader.h"
#include "blocklist/feed/list_file.h"

namespace sekisho::blocklist {
namespace {

constexpr size_t kMaxNext = 2000;
constexpr size_t kUuid = 36;

FetchResult Failed(std::string error) {
  FetchResult result;
  result.error = std::move(error);
  return result;
}

bool ReadPage(const std::string& path, std::string* text) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) return false;
  char buffer[1 << 16];
  text->clear();
  for (size_t n; (n = std::fread(buffer, 1, sizeof(buffer), file.get())) > 0;) {
    if (text->size() + n > kMaxDocument) return false;
    text->append(buffer, n);
  }
  return std::ferror(file.get()) == 0;
}

bool IsUuid(std::string_view text) {
  return text.size() == kUuid && text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

// For a query: all but what RFC 3986 leaves unreserved is escaped.
std::string Escape(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<uint8_t>(c);
    const bool plain = (u >= '0' && u <= '9') || ((u | 0x20) >= 'a' && (u | 0x20) <= 'z') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out.append({'%', kHex[u >> 4], kHex[u & 15]});
    }
  }
  return out;
}

// Fetches documents one by one into the one file.
class Collector {
 public:
  Collector(Fetcher& fetcher, const FetchRequest& request)
      : fetcher_(fetcher),
        request_(request),
        file_(request.target, request.max_bytes),
        page_(request.target + ".page"),
        end_(std::chrono::steady_clock::now() + std::chrono::seconds(request.max_seconds)) {}
  ~Collector() { ::unlink(page_.c_str()); }

  // The document, parsed; what it holds lives until the next call.
  std::optional<JsonValue> Get(FetchRequest one, FetchResult* result) {
    const auto left =
        std::chrono::duration_cast<std::chrono::seconds>(end_ - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      *result = Failed("takes longer than it may");
      return std::nullopt;
    }
    one.target = page_;
    one.max_bytes = std::min<uint64_t>(request_.max_bytes, kMaxDocument);
    one.max_seconds = left;
    one.credentials_file = request_.credentials_file;
    one.proxy = request_.proxy;
    *result = fetcher_.Fetch(one);
    if (result->outcome != FetchOutcome::kFetched) return std::nullopt;
    if (!ReadPage(page_, &text_)) {
      *result = Failed("a document cannot be read");
      return std::nullopt;
    }
    auto value = document_.Parse(text_);
    if (!value) *result = Failed("a document is no JSON: " + std::string(document_.error()));
    return value;
  }

  // Puts the document that Get gave last into the file.
  bool Keep() { return file_.Append(first_ ? "[" : ",\n") && file_.Append(text_) && (first_ = false, true); }

  FetchResult Finish(FetchResult about) {
    if (!file_.Append(first_ ? "[]\n" : "]\n") || !file_.Finish()) return Failed(file_.error());
    about.outcome = FetchOutcome::kFetched;
    about.digest = file_.digest();
    about.bytes = file_.bytes();
    return about;
  }
  const std::string& error() const { return file_.error(); }

 private:
  Fetcher& fetcher_;
  const FetchRequest& request_;
  ListFile file_;
  const std::string page_;
  const std::chrono::steady_clock::time_point end_;
  JsonDocument document_;
  std::string text_;
  bool first_ = true;
};

FetchResult FetchTaxii(Fetcher& fetcher, const FetchRequest& request) {
  Collector collector(fetcher, request);
  std::string next;
  for (size_t page = 0; page < kMaxPages; ++page) {
    FetchRequest one;
    one.url = request.url;
    if (!next.empty())
      one.url += (one.url.find('?') == std::string::npos ? "?next=" : "&next=") + Escape(next);
    one.headers = {"Accept: application/taxii+json;version=2.1"};
    FetchResult result;
    const auto envelope = collector.Get(std::move(one), &result);
    if (!envelope) return result;
    if (!envelope->is<simdjson::dom::object>()) return Failed("a page is no TAXII envelope");
    bool more = false;
    if (const auto flag = Member(*envelope, "more")) more = flag->get(more) == simdjson::SUCCESS && more;
    std::string following(StringMember(*envelope, "next").substr(0, kMaxNext));
    if (!collector.Keep()) return Failed(collector.error());
    if (!more) return collector.Finish({});
    if (following.empty() || following == next)
      return Failed("a page says that there are more and not where");
    next = std::move(following);
  }
  return Failed("more than " + std::to_string(kMaxPages) + " pages");
}

FetchResult FetchMispFeed(Fetcher& fetcher, const FetchRequest& request) {
  Collector collector(fetcher, request);
  const std::string base = request.url + (request.url.ends_with('/') ? "" : "/");
  FetchRequest one;
  one.url = base + "manifest.json";
  one.etag = request.etag;
  one.last_modified = request.last_modified;
  FetchResult manifest;
  const auto index = collector.Get(one, &manifest);
  if (!index) return manifest;
  simdjson::dom::object events;
  if (index->get(events) != simdjson::SUCCESS) return Failed("manifest.json is no MISP manifest");
  std::vector<std::string> uuids;
  for (const auto& [uuid, about] : events) {
    (void)about;
    if (!IsUuid(uuid)) return Failed("manifest.json names what is no event");
    uuids.emplace_back(uuid);
  }
  if (uuids.size() > kMaxEvents) return Failed("more than " + std::to_string(kMaxEvents) + " events");
  for (const std::string& uuid : uuids) {
    FetchRequest event;
    event.url = base + uuid + ".json";
    FetchResult result;
    if (!collector.Get(std::move(event), &result)) {
      result.error = uuid + ".json: " + result.error;
      return result;
    }
    if (!collector.Keep()) return Failed(collector.error());
  }
  return collector.Finish(std::move(manifest));
}

}  // namespace

FetchResult FetchCollection(Fetcher& fetcher, CollectionKind kind, const FetchRequest& request) {
  return kind == CollectionKind::kTaxii ? FetchTaxii(fetcher, request) : FetchMispFeed(fetcher, request);
}

}  // namespace sekisho::blocklist
