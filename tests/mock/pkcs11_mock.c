/* SPDX-License-Identifier: Apache-2.0 */
/* A PKCS#11 module for tests: it takes read-write sessions only, gives nothing without login, refuses a second C_Initialize, more than 1,024 bytes,
 * and two threads in one session; and it fails as it is told. */
#include "pkcs11_mock.h"

#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
    SESSIONS = 64,
    CALL_MAX = 1024,
    PIN_TRIES = 3
};
#define EXPORT __attribute__((visibility("default")))

typedef struct mock_session {
    bool open, busy;
    int token; /* its place in the control's array */
} mock_session;

static mock_control control;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over what follows */
static pid_t initialized_by;
static mock_session sessions[SESSIONS]; /* handle: place + 1 */
static bool logged_in[MOCK_TOKENS];
static int wrong_pins[MOCK_TOKENS];
static bool looked; /* the length of the slot list was asked for */
static uint64_t stream;

EXPORT mock_control *mock_pkcs11_control(void);
mock_control *mock_pkcs11_control(void)
{
    return &control;
}

/* --- faults --- */

static CK_RV fault(mock_function function)
{
    if (atomic_load(&control.failing) != function)
        return CKR_OK;
    if (atomic_load(&control.skip) > 0) {
        atomic_fetch_sub(&control.skip, 1);
        return CKR_OK;
    }
    const int times = atomic_load(&control.times);
    if (times == 0)
        return CKR_OK;
    if (times > 0)
        atomic_fetch_sub(&control.times, 1);
    return atomic_load(&control.rv);
}

static CK_RV enter(mock_function function)
{
    if (initialized_by != getpid())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return fault(function);
}

/* --- the module --- */

static CK_RV initialize(CK_VOID_PTR arguments)
{
    const CK_C_INITIALIZE_ARGS *args = arguments;
    if (args == NULL || (args->flags & CKF_OS_LOCKING_OK) == 0)
        return CKR_CANT_LOCK;
    if (initialized_by == getpid())
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    const CK_RV rv = fault(MOCK_INITIALIZE);
    if (rv != CKR_OK)
        return rv;
    control.initialized++;
    initialized_by = getpid();
    memset(sessions, 0, sizeof sessions);
    memset(logged_in, 0, sizeof logged_in);
    return CKR_OK;
}

static CK_RV finalize(CK_VOID_PTR reserved)
{
    (void)reserved;
    if (initialized_by != getpid())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    control.finalized++;
    initialized_by = 0;
    return CKR_OK;
}

static void pad(CK_UTF8CHAR *out, size_t size, const char *text)
{
    memset(out, ' ', size);
    memcpy(out, text, strnlen(text, size));
}

static CK_RV get_info(CK_INFO *info)
{
    memset(info, 0, sizeof *info);
    info->cryptokiVersion = (CK_VERSION){2, 40};
    pad(info->manufacturerID, sizeof info->manufacturerID, "libraffle");
    pad(info->libraryDescription, sizeof info->libraryDescription, "a mock for tests");
    return CKR_OK;
}

/* --- slots: the first one holds a token that was never initialised, which shows CKF_RNG all the same, as SoftHSM's --- */

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *out, CK_ULONG *count)
{
    CK_SLOT_ID all[MOCK_TOKENS + 1];
    CK_ULONG n = 0;
    CK_RV rv = enter(MOCK_GET_SLOT_LIST);
    if (rv != CKR_OK)
        return rv;
    all[n++] = control.first_slot;
    for (CK_ULONG i = 0; i < MOCK_TOKENS; i++)
        if (!present || control.token[i].present)
            all[n++] = control.first_slot + 1 + i;
    pthread_mutex_lock(&lock);
    if (out == NULL)
        looked = true;
    else if (!looked)
        rv = CKR_GENERAL_ERROR;
    else if (*count < n)
        rv = CKR_BUFFER_TOO_SMALL;
    else
        memcpy(out, all, n * sizeof *all);
    pthread_mutex_unlock(&lock);
    *count = n;
    return rv;
}

/* The token in a slot; -1: never initialised; -2: none. */
static int token_in(CK_SLOT_ID slot)
{
    const CK_ULONG place = slot - control.first_slot;
    if (place == 0)
        return -1;
    return place <= MOCK_TOKENS && control.token[place - 1].present ? (int)place - 1 : -2;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    const CK_RV rv = enter(MOCK_GET_TOKEN_INFO);
    const int token = token_in(slot);
    if (rv != CKR_OK)
        return rv;
    if (token == -2)
        return CKR_TOKEN_NOT_PRESENT;
    memset(info, 0, sizeof *info);
    pad(info->label, sizeof info->label, token < 0 ? "" : control.token[token].label);
    pad(info->serialNumber, sizeof info->serialNumber, token < 0 ? "" : control.token[token].serial);
    pad(info->manufacturerID, sizeof info->manufacturerID, "libraffle");
    pad(info->model, sizeof info->model, "mock");
    info->flags = token < 0 ? CKF_RNG : CKF_RNG | CKF_TOKEN_INITIALIZED | control.token[token].flags;
    return CKR_OK;
}

/* --- sessions --- */

/* With the lock held. */
static mock_session *session_of(CK_SESSION_HANDLE handle)
{
    if (handle == 0 || handle > SESSIONS || !sessions[handle - 1].open)
        return NULL;
    return &sessions[handle - 1];
}

static CK_RV open_locked(int token, CK_SESSION_HANDLE *out)
{
    for (CK_ULONG i = 0; i < SESSIONS; i++) {
        if (sessions[i].open)
            continue;
        sessions[i] = (mock_session){true, false, token};
        *out = i + 1;
        control.opened++;
        control.sessions++;
        return CKR_OK;
    }
    return CKR_SESSION_COUNT;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR application, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *out)
{
    (void)application;
    (void)notify;
    CK_RV rv = enter(MOCK_OPEN_SESSION);
    const int token = token_in(slot);
    if (rv != CKR_OK)
        return rv;
    if ((flags & CKF_SERIAL_SESSION) == 0)
        return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    if ((flags & CKF_RW_SESSION) == 0)
        return CKR_FUNCTION_FAILED; /* as CloudHSM */
    if (token < 0)
        return token == -1 ? CKR_TOKEN_NOT_RECOGNIZED : CKR_SLOT_ID_INVALID;
    pthread_mutex_lock(&lock);
    rv = open_locked(token, out);
    pthread_mutex_unlock(&lock);
    return rv;
}

/* The last session of a token takes the login with it. With the lock held. */
static void close_locked(mock_session *s)
{
    s->open = false;
    control.sessions--;
    for (int i = 0; i < SESSIONS; i++)
        if (sessions[i].open && sessions[i].token == s->token)
            return;
    logged_in[s->token] = false;
}

static CK_RV close_session(CK_SESSION_HANDLE handle)
{
    pthread_mutex_lock(&lock);
    mock_session *s = session_of(handle);
    if (s != NULL) {
        close_locked(s);
        control.closed++;
    }
    pthread_mutex_unlock(&lock);
    return s != NULL ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

static CK_RV judge_pin(int token, const CK_UTF8CHAR *pin, CK_ULONG length)
{
    if (logged_in[token])
        return CKR_USER_ALREADY_LOGGED_IN;
    if (wrong_pins[token] >= PIN_TRIES)
        return CKR_PIN_LOCKED;
    const bool keypad = pin == NULL && (control.token[token].flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    if (!keypad && (pin == NULL || length != strlen(control.pin) || memcmp(pin, control.pin, length) != 0)) {
        wrong_pins[token]++;
        return CKR_PIN_INCORRECT;
    }
    wrong_pins[token] = 0;
    logged_in[token] = true;
    control.good_logins++;
    return CKR_OK;
}

static CK_RV login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG length)
{
    CK_RV rv = enter(MOCK_LOGIN);
    control.logins++;
    if (rv != CKR_OK)
        return rv;
    if (user != CKU_USER)
        return CKR_USER_TYPE_INVALID;
    pthread_mutex_lock(&lock);
    const mock_session *s = session_of(handle);
    rv = s == NULL ? CKR_SESSION_HANDLE_INVALID : judge_pin(s->token, pin, length);
    pthread_mutex_unlock(&lock);
    return rv;
}

/* --- randomness --- */

static void write_stream(CK_BYTE *out, CK_ULONG length)
{
    if (control.output == MOCK_REPEATED)
        stream = 0;
    for (CK_ULONG i = 0; i < length; i++) {
        uint64_t x = stream += UINT64_C(0x9e3779b97f4a7c15); /* SplitMix64 */
        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        out[i] = (CK_BYTE)(x >> 32);
    }
}

static void write_output(CK_BYTE *out, CK_ULONG length)
{
    const mock_output output = control.output;
    if (output == MOCK_STUCK)
        memset(out, 1, length);
    else if (output != MOCK_SILENT)
        write_stream(out, output == MOCK_SHORT ? length / 2 : length);
}

static void lose_sessions(void)
{
    for (int i = 0; i < SESSIONS; i++)
        if (sessions[i].open)
            close_locked(&sessions[i]);
}

/* With the lock held: the session is this thread's until end_generating(). */
static CK_RV begin_generating(CK_SESSION_HANDLE handle)
{
    if (atomic_exchange(&control.lose_all, false))
        lose_sessions();
    mock_session *s = session_of(handle);
    if (s == NULL)
        return CKR_SESSION_HANDLE_INVALID;
    if (s->busy)
        return CKR_OPERATION_ACTIVE;
    if ((control.token[s->token].flags & CKF_LOGIN_REQUIRED) != 0 && !logged_in[s->token])
        return CKR_USER_NOT_LOGGED_IN;
    s->busy = true;
    return CKR_OK;
}

static void wait_while_stalled(void)
{
    control.stalled++;
    while (atomic_load(&control.stall))
        usleep(1000);
    control.stalled--;
}

static CK_RV generate_random(CK_SESSION_HANDLE handle, CK_BYTE *out, CK_ULONG length)
{
    CK_RV rv = enter(MOCK_GENERATE_RANDOM);
    control.generated++;
    if (rv != CKR_OK)
        return rv;
    if (length > CALL_MAX)
        return CKR_ARGUMENTS_BAD;
    pthread_mutex_lock(&lock);
    if ((int)length > control.largest)
        control.largest = (int)length;
    rv = begin_generating(handle);
    pthread_mutex_unlock(&lock);
    if (rv != CKR_OK)
        return rv;
    wait_while_stalled();
    pthread_mutex_lock(&lock);
    write_output(out, length);
    sessions[handle - 1].busy = false;
    pthread_mutex_unlock(&lock);
    return CKR_OK;
}

static CK_RV seed_random(CK_SESSION_HANDLE handle, CK_BYTE *seed, CK_ULONG length)
{
    (void)handle;
    (void)seed;
    (void)length;
    return CKR_FUNCTION_NOT_SUPPORTED; /* as CloudHSM */
}

static CK_FUNCTION_LIST functions = {
    .version = {2, 40},
    .C_Initialize = initialize,
    .C_Finalize = finalize,
    .C_GetInfo = get_info,
    .C_GetSlotList = get_slot_list,
    .C_GetTokenInfo = get_token_info,
    .C_OpenSession = open_session,
    .C_CloseSession = close_session,
    .C_Login = login,
    .C_SeedRandom = seed_random,
    .C_GenerateRandom = generate_random,
};

EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    functions.C_GetFunctionList = C_GetFunctionList;
    *list = &functions;
    return CKR_OK;
}
