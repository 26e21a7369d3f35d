# syntax=docker/dockerfile:1
# The same package as a container image, for x86_64 with every wheel, or for those who deploy images:
# serverless deploy --param=package=image
FROM public.ecr.aws/lambda/python:3.13 AS build
WORKDIR /build
COPY requirements.txt handler.py worker.py ./
COPY deploy/build_package.py deploy/
COPY hpe/ hpe/
RUN python deploy/build_package.py --folder /task

FROM public.ecr.aws/lambda/python:3.13
COPY --from=build /task ${LAMBDA_TASK_ROOT}
# Used where HPE_MODEL is not set; the stack sets it.
COPY models/ ${LAMBDA_TASK_ROOT}/models/
# Lambda runs images as a user of its own whatever is said here; everywhere else this keeps root out.
USER 65534
CMD ["handler.handler"]
