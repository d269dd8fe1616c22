"""A service whose jobs stand as the test says."""

import uuid

from aiohttp import web
from attrs import Factory, define


@define
class Service:
    """A server that remembers its jobs by their transaction ids, and counts what it is asked."""

    jobs: dict[str, dict] = Factory(dict)
    files: dict[str, bytes] = Factory(dict)
    creates: int = 0
    uploads: int = 0
    looks: int = 0
    cancels: list[str] = Factory(list)
    created_as: str = "RUNNING"
    status: str = "COMPLETED"
    """What a job is when it is looked at."""

    def routes(self):
        return [
            web.post("/api/v1/beta/files", self.upload),
            web.post("/api/v2/classify", self.create),
            web.get("/api/v2/classify", self.list),
            web.get("/api/v2/classify/{job_id}", self.get),
            web.post("/api/v2/classify/{job_id}/cancel", self.cancel),
        ]

    async def upload(self, request):
        form = await request.post()
        self.uploads += 1
        file_id = f"dfl-{uuid.uuid4()}"
        self.files[file_id] = form["file"].file.read()
        return web.json_response({"id": file_id, "name": "x", "project_id": "p"}, status=201)

    async def create(self, request):
        body = await request.json()
        self.creates += 1
        known = next(
            (job for job in self.jobs.values() if job["transaction_id"] == body["transaction_id"]), None
        )
        if known is None:
            if body["file_input"].startswith("dfl-") and self.files and body["file_input"] not in self.files:
                return web.json_response({"detail": "File ID is not in Project ID"}, status=400)
            job_id = f"clj-{uuid.uuid4()}"
            known = self.jobs[job_id] = {
                "id": job_id,
                "status": self.created_as,
                "file_input": body["file_input"],
                "transaction_id": body["transaction_id"],
                "configuration": body.get("configuration"),
            }
        return web.json_response(known)

    def seen(self, job):
        self.looks += 1
        if job["status"] == "RUNNING":
            job["status"] = self.status
        if job["status"] == "COMPLETED":
            job["result"] = {"type": "invoice", "confidence": 0.9, "reasoning": "ünïcode \ud800"}
        return job

    async def list(self, request):
        asked = request.query.getall("job_ids")
        return web.json_response({"items": [self.seen(self.jobs[i]) for i in asked if i in self.jobs]})

    async def get(self, request):
        job = self.jobs.get(request.match_info["job_id"])
        if job is None:
            return web.json_response({"detail": "Classify job not found"}, status=404)
        return web.json_response(self.seen(job))

    async def cancel(self, request):
        job = self.jobs[request.match_info["job_id"]]
        self.cancels.append(job["id"])
        job["status"] = "CANCELLED"
        return web.json_response(job)
