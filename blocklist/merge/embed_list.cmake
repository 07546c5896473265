# cmake -DINPUT=list.txt -DOUTPUT=list.cc -DFUNCTION=Name -P embed_list.cmake: a list file as a function.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT} "#include \"blocklist/merge/builtin_lists.h\"
namespace sekisho::blocklist {
namespace {
constexpr unsigned char kBytes[] = {${bytes}};
}
std::string_view ${FUNCTION}() { return {reinterpret_cast<const char*>(kBytes), sizeof(kBytes)}; }
}  // namespace sekisho::blocklist
")
