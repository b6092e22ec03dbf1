from dataclasses import dataclass
@dataclass(frozen=True)
class Settings:
    port: int
    host: str
    mongodb_uri: str
    redis_url: str
    cookie_secret: str
    web_concurrency: int
    drain_seconds: float
