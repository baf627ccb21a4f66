// Functions of the C library that a connector may use: they compute, or are what the C++ library is made of.
// What is not here opens files, starts things, talks to others or waits, and the sandbox would refuse it at
// the worst moment.
#pragma once

#include <string_view>

namespace garland::certification {

inline constexpr std::string_view kLibraries = "libc.so.6 libm.so.6 libstdc++.so.6 libgcc_s.so.1 "
                                               "ld-linux-x86-64.so.2 ld-linux-aarch64.so.1";

inline constexpr std::string_view kCFunctions =
    // memory and text
    "malloc calloc realloc free aligned_alloc posix_memalign malloc_usable_size memchr memrchr memcmp bcmp "
    "memcpy "
    "memmove mempcpy memset memmem explicit_bzero strcasecmp strncasecmp strcasestr strchr strchrnul strrchr "
    "strcmp "
    "strncmp strcoll strcpy stpcpy strncpy stpncpy strcat strncat strcspn strspn strpbrk strdup strndup "
    "strlen "
    "strnlen strstr strtok_r strsep strxfrm strerror_r __xpg_strerror_r strerror wmemchr wmemcmp wmemcpy "
    "wmemmove "
    "wmemset wcslen wcscmp wcsncmp wcscpy wcsncpy wcscat wcschr wcsrchr wcsstr mbrtowc wcrtomb mbsrtowcs "
    "wcsrtombs "
    "mbstowcs wcstombs mbsnrtowcs wcsnrtombs mbtowc wctomb mblen mbrlen btowc wctob "
    "__ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc __ctype_get_mb_cur_max isalnum isalpha isdigit "
    "islower "
    "isupper isspace isprint ispunct isxdigit iscntrl isgraph tolower toupper iswspace iswalpha iswalnum "
    "iswdigit "
    "iswupper iswlower iswctype towlower towupper wctype "
    // numbers
    "strtod strtof strtold strtol strtoll strtoul strtoull strtoimax strtoumax __isoc23_strtol "
    "__isoc23_strtoll "
    "__isoc23_strtoul __isoc23_strtoull atoi atol atoll atof abs labs llabs div ldiv lldiv rand_r qsort "
    "qsort_r "
    "bsearch strtof_l strtod_l "
    "acos asin atan atan2 cbrt ceil ceilf copysign cos cosh erf exp exp2 expm1 fabs floor floorf fma fmax "
    "fmin fmod "
    "fmodf frexp hypot ldexp llrint llround log log10 log1p log2 logf lrint lround modf nan nearbyint "
    "nextafter pow "
    "powf remainder rint round roundf scalbn sin sinh sqrt sqrtf tan tanh tgamma trunc truncf "
    // forms
    "snprintf vsnprintf sprintf vsprintf asprintf vasprintf sscanf vsscanf __isoc99_sscanf __isoc99_vsscanf "
    "__isoc23_sscanf swprintf vswprintf __snprintf_chk __vsnprintf_chk __sprintf_chk __vsprintf_chk "
    "__asprintf_chk "
    "__memcpy_chk __memmove_chk __memset_chk __strcpy_chk __stpcpy_chk __strncpy_chk __strcat_chk "
    "__strncat_chk "
    "__mempcpy_chk "
    // what is printed goes to the host's log
    "stdin stdout stderr printf fprintf vprintf vfprintf puts fputs fputc putc putchar fwrite fflush perror "
    "__printf_chk __fprintf_chk __vprintf_chk __vfprintf_chk "
    // on a stream that somebody else opened; nothing here opens one
    "fread fgets fgetc getc ungetc fclose feof ferror clearerr fseek ftell rewind setvbuf "
    // time: reading it, and arithmetic
    "time clock_gettime gettimeofday gmtime gmtime_r timegm mktime difftime strftime strptime "
    // the language's own
    "__errno_location __assert_fail __stack_chk_fail __cxa_atexit __cxa_finalize __cxa_thread_atexit_impl "
    "__gmon_start__ "
    "__tls_get_addr abort localeconv setlocale newlocale uselocale freelocale duplocale nl_langinfo getenv "
    "secure_getenv backtrace backtrace_symbols dl_iterate_phdr _ITM_deregisterTMCloneTable "
    "_ITM_registerTMCloneTable _dl_find_object "
    // locks without threads: the C and C++ libraries take them
    "pthread_once pthread_getspecific pthread_setspecific pthread_key_create pthread_key_delete "
    "pthread_mutex_init "
    "pthread_mutex_destroy pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock "
    "pthread_mutexattr_init "
    "pthread_mutexattr_settype pthread_mutexattr_destroy pthread_rwlock_rdlock pthread_rwlock_wrlock "
    "pthread_rwlock_unlock pthread_self __pthread_key_create "
    // randomness
    "arc4random arc4random_buf arc4random_uniform getrandom getentropy ";

// Parts of the C++ library that do what a connector must not, by the beginning of their mangled names.
inline constexpr std::string_view kCxxForbidden =
    "_ZNSt6thread _ZNSt10filesystem _ZNSt13basic_fstream _ZNSt14basic_ifstream _ZNSt14basic_ofstream "
    "_ZNSt13basic_filebuf _ZNSt18condition_variable _ZNSt3__";

} // namespace garland::certification
